"""Which signatures of a record are sent: those that count, without dear ones that are not needed."""

import pytest

from protocol.marketplace import RecordRound
from services.chain.contract.signatures import worth_sending
from services.chain.contract.views import CheckedSignatures, Owners
from services.chain.errors import CallReverted
from tests.support.deployment.documents import RECORD

SIGNATURES = (b"a", b"b", b"c", b"", b"e")
CALL = RecordRound(record=RECORD, buyer_signature=b"b" * 65, validator_signatures=SIGNATURES)


class Checked:
    """Views of a training with five drawn validators, of which three must sign."""

    def __init__(
        self, signed: tuple[bool, ...], gas_used: tuple[int, ...] = (5_000,) * 5, drawn: int = 0b11111000
    ) -> None:
        self.checked = CheckedSignatures(True, signed, gas_used)
        self.drawn = drawn

    async def check_signatures(self, _call) -> CheckedSignatures:
        return self.checked

    async def owners(self, _training) -> Owners:
        return Owners((), 0b111, self.drawn)


@pytest.mark.parametrize(
    ("signed", "gas_used", "sent"),
    [
        ((True, True, True, False, True), (5_000, 5_000, 5_000, 0, 5_000), (b"a", b"b", b"c", b"", b"e")),
        ((False, True, True, False, True), (200_000, 5_000, 5_000, 0, 5_000), (b"", b"b", b"c", b"", b"e")),
        ((True, True, True, False, True), (190_000, 5_000, 5_000, 0, 5_000), (b"", b"b", b"c", b"", b"e")),
        ((True, True, False, False, True), (190_000, 5_000, 9, 0, 5_000), (b"a", b"b", b"", b"", b"e")),
        ((True, True, True, False, False), (190_000, 90_000, 80_000, 0, 0), (b"a", b"b", b"c", b"", b"")),
    ],
    ids=["all are cheap", "one does not count", "one is dear", "a dear one is needed", "all are dear"],
)
async def test_what_fails_or_costs_too_much_is_left_out(signed, gas_used, sent) -> None:
    call = await worth_sending(Checked(signed, gas_used), CALL)
    assert call.validator_signatures == sent
    assert call.record == RECORD


@pytest.mark.parametrize(
    ("signed", "drawn"), [((False,) * 5, 0), ((True, True, False, False, False), 0b11111000)]
)
async def test_nothing_is_left_out_by_what_a_lagging_node_says(signed, drawn) -> None:
    """It has not seen all seats taken, or the roles drawn: what it takes for no signature may be one."""
    assert await worth_sending(Checked(signed, drawn=drawn), CALL) == CALL


async def test_a_validator_with_code_signs_with_its_key_and_a_false_one_is_not_sent(anvil_market) -> None:
    """Of two validators both are needed: the one whose key did not sign is missing, and nothing is mined."""
    market = anvil_market
    await market.register()
    training = await market.open()
    await market.draw(training)
    call = await market.record(training, 1, 40 * 10**18, last=False)
    owners = await market.buyer.owners(training)
    validator = next(one for seat, one in enumerate(owners.seats) if owners.validators >> seat & 1)
    burning = "0x5b600056"  # jumps to itself until the gas is gone
    await market.rpc.call("anvil_setCode", validator, burning)
    forged = call.model_copy(update={"validator_signatures": (b"x" * 65, *call.validator_signatures[1:])})
    checked = await market.buyer.check_signatures(forged)
    assert (checked.buyer_signed, checked.signed) == (True, (False, True))
    assert checked.gas_used[0] > 190_000 > 20_000 > checked.gas_used[1]
    with pytest.raises(CallReverted) as refused:
        await market.aggregator.submit(forged)
    assert (refused.value.code, refused.value.arguments) == ("too_few_signatures", (training, 1, 2))
    receipt = await market.aggregator.submit(call)
    assert receipt.succeeded
    assert receipt.gas_used < 600_000
