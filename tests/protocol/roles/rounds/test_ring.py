"""Three makers of a ring, in whatever order their messages come, and makers that cheat."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from gmpy2 import mpz
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.bodies import body_of
from protocol.crypto.blinding import draw_base
from protocol.crypto.commitments import TrainingIdentity
from protocol.crypto.proofs.transcript import Occasion
from protocol.crypto.ring.context import Maker, Purpose, RingContext
from protocol.crypto.ring.shares import ShareForm
from protocol.errors import ProtocolViolation
from protocol.messages.rounds import RingCommitted, RingConsent, RingNonce, RingShared
from protocol.roles.engine.effects import SendMessage
from protocol.roles.engine.refusals import EarlyInput, StaleInput
from protocol.roles.rounds import ring
from protocol.roles.rounds.ring_state import RingView
from protocol.signatures import address_of
from tests.support.proofs import private_key
from tests.support.roles.ring_players import STREAM, Player, play, received, relayed

KEY = private_key(512).public_key
KEYS = [STREAM.bytes(32) for _ in Maker]
BASES = (draw_base(KEY, STREAM), draw_base(KEY, STREAM))
FORM = ShareForm(60, ((1 << 50, 1 << 50), (1 << 40,)))
OPENED = [mpz(1), mpz(1)]
STATEMENT = b"s" * 32


def makers(purpose: Purpose = Purpose.NEXT_MODEL, statement: bytes = STATEMENT) -> dict[Maker, Player]:
    parties = tuple(map(address_of, KEYS))
    identity = TrainingIdentity(1337, "0x" + "11" * 20, 1, KEY.key_id)
    context = RingContext(identity, Occasion(3, 0, 2), purpose, parties)  # type: ignore[arg-type]
    return {
        maker: Player(RingView(KEY, context, FORM, BASES, maker), KEYS[maker], statement) for maker in Maker
    }


def sent(player: Player, kind: type, to: Player) -> SendMessage:
    """The one message of its kind that a player has sent to another."""
    return next(one for one in player.sent if isinstance(one.body, kind) and one.recipient == to.address)


def refusal(player: Player, item: Any) -> str:
    before = player.state
    with pytest.raises(ProtocolViolation) as caught:
        player.take(item)
    assert player.state is before
    return caught.value.code


def changing(maker: Maker, kind: type, **changes: Any) -> Callable[[Maker, SendMessage], SendMessage]:
    """Has one maker send other contents than it made."""

    def change(sender: Maker, one: SendMessage) -> SendMessage:
        if sender is not maker or not isinstance(one.body, kind):
            return one
        return one.model_copy(update={"body": one.body.model_copy(update=changes)})

    return change


@settings(max_examples=15)
@given(seed=st.integers(0, 10**6), purpose=st.sampled_from(list(Purpose)))
def test_all_agree_on_a_product_in_whatever_order_messages_come(seed: int, purpose: Purpose) -> None:
    players, order = makers(purpose), Random(seed)
    play(players, choose=order.randrange)
    products = [player.product(OPENED) for player in players.values()]
    assert products[0] == products[1] == products[2]
    digests = {
        ring.digest_to_sign(one.ring, one.view, products[0], one.context()) for one in players.values()
    }
    assert len(digests) == 1


def test_the_product_holds_the_three_shares() -> None:
    players = makers()
    play(players)
    known = [ring.known_shares(one.ring, one.view, one.context()) for one in players.values()]
    product = players[Maker.AGGREGATOR].product(OPENED)
    total = [sum(share.plaintexts[place] for share, _ in known) for place in range(2)]
    assert [private_key(512).decrypt(one) for one in product.ciphertexts] == total


def test_each_knows_its_own_share_and_that_of_the_one_before() -> None:
    players = makers()
    play(players)
    own = {m: ring.known_shares(p.ring, p.view, p.context()) for m, p in players.items()}
    for maker in Maker:
        assert own[maker.next][1] == own[maker][0]
    for maker, player in players.items():
        seeds = [one.body.seed for one in player.sent if isinstance(one.body, RingShared) and one.body.seed]
        recipients = [
            one.recipient for one in player.sent if isinstance(one.body, RingShared) and one.body.seed
        ]
        assert len(seeds) == 1
        assert recipients == [players[maker.next].address]


def test_the_chance_is_the_same_for_all_and_none_can_have_it_early() -> None:
    players = makers()
    for player in players.values():
        player.begin()
        with pytest.raises(EarlyInput):
            ring.chance(player.ring, player.view)
    players = makers()
    play(players)
    assert len({ring.chance(one.ring, one.view).bytes(16) for one in players.values()}) == 1


def test_a_repeated_message_changes_nothing_and_has_nothing_sent() -> None:
    players = makers()
    play(players)
    for maker, player in players.items():
        for other, sender in players.items():
            if other is maker:
                continue
            for one in [one for one in sender.sent if one.recipient == player.address]:
                before = player.state
                assert player.take(relayed(sender, one)) == []
                assert player.state is before


@pytest.mark.parametrize(
    ("kind", "changes", "code"),
    [
        (RingCommitted, {"share": b"o" * 32}, "committed_twice"),
        (RingNonce, {"nonce": b"o" * 32}, "nonce_twice"),
        (RingShared, {"share": (b"\1" * 128, b"\1" * 128)}, "shared_twice"),
    ],
)
def test_another_message_of_a_kind_is_refused(kind: type, changes: dict[str, Any], code: str) -> None:
    players = makers()
    play(players)
    checker, aggregator = players[Maker.FIRST_CHECKER], players[Maker.AGGREGATOR]
    one = sent(checker, kind, aggregator)
    other = one.model_copy(update={"body": one.body.model_copy(update=changes)})
    assert refusal(aggregator, relayed(checker, other)) == code


def test_a_nonce_or_share_before_its_time_is_early() -> None:
    """Whoever could have them taken before all have committed would have the others commit after it."""
    finished, fresh = makers(), makers()
    play(finished)
    aggregator = fresh[Maker.AGGREGATOR]
    aggregator.begin()
    checker = finished[Maker.FIRST_CHECKER]
    for kind in (RingNonce, RingShared):
        with pytest.raises(EarlyInput):
            aggregator.take(relayed(checker, sent(checker, kind, finished[Maker.AGGREGATOR])))


def test_only_the_makers_of_this_attempt_are_heard() -> None:
    players = makers()
    aggregator = players[Maker.AGGREGATOR]
    aggregator.begin()
    body = RingCommitted(purpose="next model", statement=STATEMENT, share=b"d" * 32, nonce=b"n" * 32)
    stranger = STREAM.bytes(32)
    foreign = received(address_of(stranger), stranger, aggregator.address, body, (3, 2))
    assert refusal(aggregator, foreign) == "not_a_maker"
    itself = received(aggregator.address, KEYS[0], aggregator.address, body, (3, 2))
    assert refusal(aggregator, itself) == "not_a_maker"
    checker = players[Maker.FIRST_CHECKER]
    for at, signal in (((3, 1), StaleInput), ((2, 9), StaleInput), ((3, 3), EarlyInput)):
        with pytest.raises(signal):
            aggregator.take(received(checker.address, KEYS[1], aggregator.address, body, at))
    other = body.model_copy(update={"purpose": "metric"})
    assert refusal(aggregator, received(checker.address, KEYS[1], aggregator.address, other, (3, 2))) == (
        "wrong_purpose"
    )


@pytest.mark.parametrize(
    ("maker", "kind", "changes", "victim", "code"),
    [
        (
            Maker.FIRST_CHECKER,
            RingCommitted,
            {"statement": b"o" * 32},
            Maker.AGGREGATOR,
            "bad_ring_commitment",
        ),
        (Maker.FIRST_CHECKER, RingCommitted, {"nonce": b""}, Maker.AGGREGATOR, "bad_ring_commitment"),
        (Maker.AGGREGATOR, RingCommitted, {"nonce": b"n" * 32}, Maker.FIRST_CHECKER, "bad_ring_commitment"),
        (Maker.SECOND_CHECKER, RingNonce, {"nonce": b"o" * 32}, Maker.FIRST_CHECKER, "bad_nonce"),
        (Maker.AGGREGATOR, RingShared, {"share": ()}, Maker.FIRST_CHECKER, "wrong_count"),
        (
            Maker.SECOND_CHECKER,
            RingShared,
            {"share": (b"\1" * 128, b"\1" * 128)},
            Maker.FIRST_CHECKER,
            "bad_share",
        ),
    ],
)
def test_what_does_not_fit_is_refused_where_it_comes(
    maker: Maker, kind: type, changes: dict[str, Any], victim: Maker, code: str
) -> None:
    players = makers()
    with pytest.raises(ProtocolViolation) as caught:
        play(players, change=changing(maker, kind, **changes))
    assert caught.value.code == code
    assert players[victim].ring.shown is None or victim is not maker.next


def test_an_aggregator_shows_no_nonce() -> None:
    players = makers()
    play(players)
    checker, aggregator = players[Maker.FIRST_CHECKER], players[Maker.AGGREGATOR]
    body = RingNonce(purpose="next model", nonce=b"n" * 32)
    item = received(aggregator.address, KEYS[0], checker.address, body, (3, 2))
    assert refusal(checker, item) == "bad_nonce"


@pytest.mark.parametrize("seed", [b"o" * 32, None])
def test_a_share_that_its_seed_does_not_make_is_refused_before_anything_is_opened(seed: bytes | None) -> None:
    """It would be too wide, or hold somebody's weight: the checker says no, and forms no product."""
    players = makers()
    play(players, change=changing(Maker.AGGREGATOR, RingShared, seed=seed))
    checker = players[Maker.FIRST_CHECKER]
    assert checker.ring.refused
    told = sent(checker, RingConsent, players[Maker.AGGREGATOR])
    assert told.body.refused
    assert told.body.signature is None
    assert told.body.shown is not None
    assert body_of(told.body.shown).seed == seed
    with pytest.raises(ProtocolViolation, match="share_refused"):
        checker.product(OPENED)
    with pytest.raises(EarlyInput):
        ring.digest_to_sign(
            checker.ring, checker.view, players[Maker.AGGREGATOR].product(OPENED), checker.context()
        )


def test_an_aggregator_that_finds_a_bad_share_sends_itself_nothing() -> None:
    players = makers()
    play(players, change=changing(Maker.SECOND_CHECKER, RingShared, seed=b"o" * 32))
    assert players[Maker.AGGREGATOR].ring.refused
    assert not [one for one in players[Maker.AGGREGATOR].sent if isinstance(one.body, RingConsent)]


def test_a_maker_that_commits_differently_to_two_has_no_common_product() -> None:
    """An aggregator that knows one nonce cannot choose again towards the other checker: vectors differ."""
    players = makers()
    second = players[Maker.SECOND_CHECKER]
    other = makers()[Maker.AGGREGATOR]
    other.begin()

    def equivocate(maker: Maker, one: SendMessage) -> SendMessage | None:
        if maker is Maker.AGGREGATOR and one.recipient == second.address:
            if isinstance(one.body, RingCommitted):
                return sent(other, RingCommitted, second)
            return None  # its share is not the one that it has committed to here
        return one

    play(players, change=equivocate)
    first = players[Maker.FIRST_CHECKER]
    chances = [ring.chance(one.ring, one.view).bytes(16) for one in (first, second)]
    assert chances[0] != chances[1]
    with pytest.raises(EarlyInput):
        second.product(OPENED)


def test_no_product_before_all_shares() -> None:
    players = makers()
    silent = {Maker.SECOND_CHECKER}
    play(
        players,
        change=lambda maker, one: None if maker in silent and isinstance(one.body, RingShared) else one,
    )
    for maker in (Maker.AGGREGATOR, Maker.FIRST_CHECKER):
        with pytest.raises(EarlyInput):
            players[maker].product(OPENED)


def test_secrets_are_in_no_repr() -> None:
    players = makers()
    play(players)
    for player in players.values():
        secrets = [player.blobs[player.ring.seed.digest]]
        secrets += [one for one in player.ring.nonces if one]
        shown = repr(player.ring) + "".join(repr(one.body) for one in player.sent)
        assert not [one for one in secrets if repr(one)[2:-1] in shown or one.hex() in shown]


def test_the_ring_of_noise_has_no_nonces() -> None:
    players = makers(Purpose.METRIC)
    play(players)
    assert not [one for player in players.values() for one in player.sent if isinstance(one.body, RingNonce)]
    assert all(player.ring.is_complete for player in players.values())


def test_rings_of_two_attempts_have_nothing_in_common() -> None:
    """A share committed to in one attempt serves no other, where it could be known."""
    players, later = makers(), makers()
    play(players)
    occasion = Occasion(3, 0, 3)
    for player in later.values():
        player.view = replace(player.view, context=player.view.context._replace(occasion=occasion))
    play(later)
    assert players[Maker.AGGREGATOR].product(OPENED) != later[Maker.AGGREGATOR].product(OPENED)
    assert later[Maker.AGGREGATOR].ring.at == (3, 3)
