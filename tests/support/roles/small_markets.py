"""Small trainings for tests of the roles: four owners, two features, keys of 1024 bits."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np

from protocol.codec import pack, unpack
from protocol.crypto.paillier import PublicKey
from protocol.envelope import SignedMessage
from protocol.messages import MESSAGE_TYPES
from protocol.roles.engine.inputs import MessageReceived
from tests.support.roles.pure_market import PureMarket
from tests.support.roles.pure_party import Matrix, Party
from tests.support.roles.remembered_steps import remembered_step
from tests.support.roles.states import stored

COLUMNS = ("x0", "x1", "y")
ONE_ROUND = {"rounds": 1, "local_steps": 2, "step_size": "0.05", "tolerance": 0}
"""The schedule of a training of which another round would show nothing more."""


def small_request(**changes: Any) -> dict[str, Any]:
    """A request as a person writes it; `aggregator` is filled in by the market."""
    values: dict[str, Any] = {
        "name": "test",
        "features": [{"name": f"x{i}", "minimum": -10, "maximum": 10} for i in range(2)],
        "target": {"name": "y", "minimum": -100, "maximum": 100},
        "schedule": {"rounds": 2, "local_steps": 2, "step_size": "0.05", "tolerance": 0},
        "payment": {"deposit_wei": str(10**18)},
        "bounds": {"min_rows": 5},
        "key_bits": 1024,
        "owners": {"minimum": 4, "maximum": 8},
    }
    return {**values, **changes}


def small_data(owners: int = 4, rows: int = 12, seed: int = 7) -> list[Matrix]:
    """One array of `rows` rows for each owner, about one line."""
    generator = np.random.default_rng(seed)
    data = []
    for _ in range(owners):
        features = generator.uniform(-5, 5, (rows, 2))
        target = features @ [6.0, -4.0] + 12 + generator.normal(0, 20, rows)
        data.append(np.column_stack([features, np.clip(target, -100, 100)]))
    return data


def small_market(
    request: dict[str, Any] | None = None, data: Sequence[Matrix] | None = None, **options: Any
) -> PureMarket:
    """A market that has its order, with nothing delivered yet; it remembers the steps of others."""
    options = {"run_step": remembered_step, **options}
    market = PureMarket(request or small_request(), data or small_data(), COLUMNS, **options)
    market.start()
    return market


def shuffling(seed: int) -> Callable[[Sequence[int]], int]:
    """A chooser for `PureMarket` that delivers in random order."""
    return Random(seed).choice


def without(*dropped: str, sender: Party | None = None) -> Callable[[SignedMessage], Sequence[SignedMessage]]:
    """An intercept that drops messages of these types (of this sender)."""

    def intercept(message: SignedMessage) -> Sequence[SignedMessage]:
        concerned = sender is None or message.envelope.sender == sender.address
        return () if message.envelope.type in dropped and concerned else (message,)

    return intercept


def losing(condition: Callable[[SignedMessage], bool]) -> Callable[[SignedMessage], Sequence[SignedMessage]]:
    """An intercept that drops the messages for which `condition` holds."""
    return lambda message: () if condition(message) else (message,)


def body_of(message: SignedMessage) -> Any:
    """The parsed body."""
    return unpack(MESSAGE_TYPES[message.envelope.type], message.body)


def altered(market: PureMarket, message: SignedMessage, **changes: Any) -> SignedMessage:
    """The message with fields of its body changed, signed again by its malicious sender.

    The changed values are not validated, since an attacker's would not be either.
    """
    return resigned(market, message, body=pack(body_of(message).model_copy(update=changes)))


def resigned(
    market: PureMarket, message: SignedMessage, *, body: bytes | None = None, **envelope: Any
) -> SignedMessage:
    """The message under a changed envelope or with another body, signed by whom that names as sender."""
    changed = message.envelope.model_copy(update={"message_id": market.random.randbytes(16), **envelope})
    key = market.parties[changed.sender].signing_key
    return SignedMessage.create(changed, message.body if body is None else body, key)


def refusal(market: PureMarket, party: Party, message: SignedMessage) -> str:
    """The code by which `party` refuses a message; asserts that nothing else came of it."""
    before, violations = party.decoded, len(party.violations)
    step = market.deliver(party, MessageReceived(signed=message))
    assert step is not None
    assert party.decoded == before
    assert [effect.effect for effect in step.effects] == ["violation"], step.effects
    assert len(party.violations) == violations + 1
    assert party.violations[-1].accused == message.envelope.sender
    return str(party.violations[-1].code)


def paid_under(market: PureMarket, party: Party, n: int) -> None:
    """Have the chain say to `party` that the deposit was paid for the key of modulus `n`."""
    state = party.decoded
    opened = state.opened.model_copy(update={"terms": market.request.terms(PublicKey(n).key_id)})
    party.state = stored(state.model_copy(update={"opened": opened}))


Stopped = tuple[PureMarket, Party, SignedMessage]


def stopped_at(type_name: str, seat: int, round_number: int = 1) -> Stopped:
    """A market with two trainers and three validators, and a message to one of them about to arrive."""
    market = small_market(data=small_data(owners=5), validators=[2, 3, 4])
    owner = market.owners[seat]
    while True:
        message = market.run_until(type_name, owner)
        if message.envelope.round == round_number:
            return market, owner, message
        market.deliver(owner, MessageReceived(signed=message))


def deliver(stopped: Stopped) -> None:
    market, owner, message = stopped
    market.deliver(owner, MessageReceived(signed=message))
