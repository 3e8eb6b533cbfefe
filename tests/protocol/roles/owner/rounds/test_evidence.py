"""Wrong evidence of every kind: what has a ground is said by checkers alone; what is none is refused."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from protocol.bodies import body_of
from protocol.crypto.cipher import Ciphertext, ShortExponentBlinder, write_ciphertexts
from protocol.crypto.randomness import Randomness
from protocol.envelope import SignedMessage
from protocol.errors import ProtocolViolation
from protocol.learning.moments.exchange import MomentMask, moment_request
from protocol.learning.moments.products import next_model
from protocol.learning.scales import MODEL_SCALE, UPDATE_SCALE
from protocol.messages.rounds import CheckVerdict, MomentAnswer, ProvenMetric, ProvenUpdate, RoundEvidence
from protocol.messages.rounds.moments import LeftOutMember
from protocol.roles.engine.effects import SendMessage
from protocol.roles.engine.refusals import EarlyInput
from protocol.roles.engine.state import replace
from protocol.roles.owner.rounds.evidence import link_of
from protocol.roles.rounds.products import read_mask, write_mask
from protocol.vectors import EncryptedVector
from tests.support.roles.checked_owners import ALL, Machined, PlayedAttempt, played
from tests.support.roles.ring_players import STREAM

Wrong = Callable[[PlayedAttempt], RoundEvidence]


def evidence(play: PlayedAttempt, **changes: Any) -> RoundEvidence:
    return replace(play.measured.evidence, **changes)


def shown_to(play: PlayedAttempt, member: Machined, body: RoundEvidence, at=(1, 1), sender: str = "") -> Any:
    """The step of a member that is shown this."""
    one = play.signed(sender or play.world.aggregator, member.address, body, at)
    return member.step(one)


def said(step: Any) -> list[Any]:
    return [one.body for one in step.effects if isinstance(one, SendMessage)]


# ---- what has a ground ----


def another_start(play: PlayedAttempt) -> RoundEvidence:
    world = play.world
    start = world.start.read(world.key, scale=MODEL_SCALE, count=world.request.parameters)
    fresh = [one * world.key.lift(1) % world.key.n_squared for one in start]
    return evidence(play, start_model=EncryptedVector.of(world.key, fresh, MODEL_SCALE))


def hidden_start(play: PlayedAttempt) -> RoundEvidence:
    """The same numbers under randomness that nobody else has seen."""
    world = play.world
    hidden = [world.private.encrypt(0, STREAM) for _ in range(world.request.parameters)]
    return evidence(play, start_model=EncryptedVector.of(world.key, hidden, MODEL_SCALE))


def update_of(play: PlayedAttempt, place: int = 0, **changes: Any) -> SignedMessage:
    """A trainer's update with something else in it, signed by it."""
    signed = play.world.updates[place]
    body = replace(body_of(signed, ProvenUpdate), **changes)
    return play.signed(signed.envelope.sender, play.world.aggregator, body, (1, 0))


def with_update(play: PlayedAttempt, update: SignedMessage, place: int = 0) -> RoundEvidence:
    updates = list(play.world.updates)
    updates[place] = update
    return evidence(play, updates=tuple(updates))


def shifted_update(play: PlayedAttempt) -> RoundEvidence:
    """A model that is off by one unit, with the proof of the right one."""
    world = play.world
    vector = [one * world.key.lift(1) % world.key.n_squared for one in world.vectors[0]]
    return with_update(play, update_of(play, local_model=EncryptedVector.of(world.key, vector, UPDATE_SCALE)))


def forged_update(play: PlayedAttempt) -> RoundEvidence:
    """One whose body the aggregator has changed under the trainer's signature."""
    one = play.world.updates[0]
    return with_update(play, replace(one, body=play.world.updates[1].body))


def other_s_update(play: PlayedAttempt) -> RoundEvidence:
    """Another trainer's model and proof under one's own name."""
    body = body_of(play.world.updates[1], ProvenUpdate)
    return with_update(play, update_of(play, local_model=body.local_model, proof=body.proof))


def update_of_another_start(play: PlayedAttempt) -> RoundEvidence:
    return with_update(play, update_of(play, start_digest=b"o" * 32))


def update_of_another_round(play: PlayedAttempt) -> RoundEvidence:
    signed = play.world.updates[0]
    body = body_of(signed, ProvenUpdate)
    return with_update(play, play.signed(signed.envelope.sender, play.world.aggregator, body, (2, 0)))


def unreadable_proof(play: PlayedAttempt) -> RoundEvidence:
    return with_update(play, update_of(play, proof=(b"\x01",)))


def other_mask(play: PlayedAttempt) -> RoundEvidence:
    """μ + 1 in place of μ: with it every product would be wrong, and the buyer named."""
    masks, roots = write_mask(play.world.key, play.world.mask)
    first = (int.from_bytes(masks[0], "big") + 1).to_bytes(len(masks[0]), "big")
    return evidence(play, masks=(first, *masks[1:]), mask_roots=roots)


def other_root(play: PlayedAttempt) -> RoundEvidence:
    _, roots = write_mask(play.world.key, play.world.mask)
    first = (int.from_bytes(roots[0], "big") - 1).to_bytes(len(roots[0]), "big")
    return evidence(play, mask_roots=(first, *roots[1:]))


def carrying_mask(play: PlayedAttempt) -> RoundEvidence:
    """ρ + n makes the same request, and has other digits."""
    masks, _ = write_mask(play.world.key, play.world.mask)
    wrapped = int.from_bytes(masks[0], "big") + int(play.world.key.n)
    return evidence(play, masks=(wrapped.to_bytes(len(masks[0]) + 1, "big"), *masks[1:]))


def swapped_request(play: PlayedAttempt) -> RoundEvidence:
    """The models of the trainers in each other's place, which the buyer has answered."""
    return evidence(play, **answered(play, [play.world.vectors[1], play.world.vectors[0]]))


def unproven_update(play: PlayedAttempt) -> RoundEvidence:
    """A shifted model with the proof of the right one, in an exchange and a next model that are its own."""
    body = shifted_update(play)
    world = play.world
    first = body_of(body.updates[0], ProvenUpdate).local_model
    vector = first.read(world.key, scale=UPDATE_SCALE, count=world.request.parameters)
    exchange = answered(play, [vector, *world.vectors[1:]])
    mask = read_mask(exchange["masks"], exchange["mask_roots"])
    numbers = world.exchange.read_answer(body_of(exchange["answer"], MomentAnswer).numbers)
    digits = mask.digits(world.exchange.vectors, world.widths.moments)
    blinder, seed = ShortExponentBlinder(world.key, STREAM.bytes(32)), STREAM.bytes(32)
    model = next_model(world.key, numbers, digits, world.exchange.trainers, blinder, Randomness(seed))
    length = (world.key.bits + 7) // 8
    roots = (int(one).to_bytes(length, "big") for one in blinder.roots(len(model), Randomness(seed)))
    changed = {"next_model": EncryptedVector.of(world.key, model, MODEL_SCALE), "model_roots": tuple(roots)}
    return replace(body, **exchange, **changed)


def answered(play: PlayedAttempt, vectors: Sequence[Sequence[Ciphertext]]) -> dict[str, Any]:
    """An exchange about any vectors, as evidence shows it."""
    world = play.world
    mask = MomentMask.draw(world.key, world.exchange.values, world.widths.moments.request, STREAM)
    masked = tuple(
        write_ciphertexts(world.key, moment_request(world.key, vectors, world.widths.moments, mask))
    )
    masks, roots = write_mask(world.key, mask)
    request = replace(world.moment_request, masked=masked)
    buyer = play.buyer.copy()
    buyer.state = replace(buyer.state, exchanges=())
    step = buyer.step(world.sent(world.aggregator, request).signed)
    answer = play.signed(world.buyer, world.aggregator, said(step)[0])
    return {"request": request, "answer": answer, "masks": masks, "mask_roots": roots}


GROUNDS: list[tuple[Wrong, str]] = [
    (another_start, "start"),
    (hidden_start, "start"),
    (shifted_update, "proof"),
    (forged_update, "proof"),
    (other_s_update, "proof"),
    (update_of_another_start, "proof"),
    (update_of_another_round, "proof"),
    (unreadable_proof, "proof"),
    (other_mask, "request"),
    (other_root, "request"),
    (carrying_mask, "request"),
    (swapped_request, "request"),
]


@pytest.mark.parametrize(("wrong", "ground"), GROUNDS, ids=lambda one: getattr(one, "__name__", one))
def test_a_checker_says_what_is_not_in_order(wrong: Wrong, ground: str) -> None:
    play = played()
    checker = play.checkers[0]
    step = shown_to(play, checker, wrong(play))
    recipients = [one.recipient for one in step.effects if isinstance(one, SendMessage)]
    assert sorted(recipients) == sorted({play.world.aggregator, *play.members} - {checker.address})
    assert set(said(step)) == {CheckVerdict(in_order=False, ground=ground)}
    assert checker.state.attempt.is_stopped


@pytest.mark.parametrize("wrong", [another_start, shifted_update, other_mask], ids=lambda one: one.__name__)
def test_another_member_says_nothing_and_measures_nothing(wrong: Wrong) -> None:
    play = played()
    (member,) = play.others
    step = shown_to(play, member, wrong(play))
    assert said(step) == []
    assert member.state.attempt.is_stopped
    assert member.state.attempt.metric is None


def test_a_proof_that_fails_stops_the_checkers_without_whom_nothing_is_opened() -> None:
    """What another member makes of the update is encrypted, and no verdict, so no consent, follows."""
    play = played()
    body, (member,) = unproven_update(play), play.others
    for checker in play.checkers:
        assert set(said(shown_to(play, checker, body))) == {CheckVerdict(in_order=False, ground="proof")}
        assert checker.state.attempt.metric is None
    (metric,) = said(shown_to(play, member, body))
    assert isinstance(metric, ProvenMetric)
    assert member.state.attempt.measuring is None


def test_after_wrong_evidence_nothing_of_the_attempt_is_answered() -> None:
    play = played()
    checker = play.checkers[0]
    shown_to(play, checker, other_mask(play))
    before = checker.state
    honest = played("show")
    for one in honest.wire:
        if one.envelope.recipient == checker.address and one.envelope.type != "round_evidence":
            step = checker.step(replace(one))
            assert said(step) == []
    assert checker.state == before


# ---- what is no evidence ----


def of_another_answer(play: PlayedAttempt) -> RoundEvidence:
    body = replace(body_of(play.measured.evidence.answer, MomentAnswer), request_digest=b"o" * 32)
    return evidence(play, answer=play.signed(play.world.buyer, play.world.aggregator, body))


def answered_by_the_aggregator(play: PlayedAttempt) -> RoundEvidence:
    body = body_of(play.measured.evidence.answer, MomentAnswer)
    return evidence(play, answer=play.signed(play.world.aggregator, play.world.aggregator, body))


def answer_of_another_attempt(play: PlayedAttempt) -> RoundEvidence:
    body = body_of(play.measured.evidence.answer, MomentAnswer)
    return evidence(play, answer=play.signed(play.world.buyer, play.world.aggregator, body, (1, 2)))


def short_answer(play: PlayedAttempt) -> RoundEvidence:
    body = body_of(play.measured.evidence.answer, MomentAnswer)
    fewer = replace(body, numbers=body.numbers[:-1])
    return evidence(play, answer=play.signed(play.world.buyer, play.world.aggregator, fewer))


def unsigned_answer(play: PlayedAttempt) -> RoundEvidence:
    answer = play.measured.evidence.answer
    return evidence(play, answer=replace(answer, signature=play.world.updates[0].signature))


def updates_swapped(play: PlayedAttempt) -> RoundEvidence:
    return evidence(play, updates=tuple(reversed(play.world.updates)))


def one_update(play: PlayedAttempt) -> RoundEvidence:
    return evidence(play, updates=tuple(play.world.updates[:1]))


def update_twice(play: PlayedAttempt) -> RoundEvidence:
    return evidence(play, updates=(play.world.updates[0],) * 2)


def start_unmeasured(play: PlayedAttempt) -> RoundEvidence:
    return evidence(play, start="unmeasured")


def model_is_the_start(play: PlayedAttempt) -> RoundEvidence:
    return evidence(play, next_model=play.world.start)


def model_of_another_scale(play: PlayedAttempt) -> RoundEvidence:
    return evidence(play, next_model=replace(play.measured.next_model, scale=UPDATE_SCALE))


def a_member_dropped_unnamed(play: PlayedAttempt) -> RoundEvidence:
    return evidence(play, members=play.world.members[:2])


def members_reversed(play: PlayedAttempt) -> RoundEvidence:
    return evidence(play, members=tuple(reversed(play.world.members)))


def a_trainer_among_members(play: PlayedAttempt) -> RoundEvidence:
    trainer = play.world.parties.seats[0]
    return evidence(play, members=(trainer, *play.world.members))


def too_few_members(play: PlayedAttempt) -> RoundEvidence:
    first, *gone = play.world.members
    left_out = tuple(LeftOutMember(member=one, why="silent") for one in gone)
    return evidence(play, members=(first,), left_out=left_out)


REFUSED: list[tuple[Wrong, str]] = [
    (of_another_answer, "wrong_evidence"),
    (answered_by_the_aggregator, "wrong_evidence"),
    (answer_of_another_attempt, "wrong_evidence"),
    (short_answer, "wrong_count"),
    (unsigned_answer, "bad_signature"),
    (updates_swapped, "updates_out_of_order"),
    (one_update, "wrong_trainers"),
    (update_twice, "updates_out_of_order"),
    (start_unmeasured, "wrong_start_measurement"),
    (model_is_the_start, "model_of_an_earlier_round"),
    (model_of_another_scale, "wrong_scale"),
    (a_member_dropped_unnamed, "wrong_members"),
    (members_reversed, "validators_out_of_order"),
    (a_trainer_among_members, "wrong_members"),
    (too_few_members, "too_few_members"),
]


@pytest.mark.parametrize(("wrong", "code"), REFUSED, ids=lambda one: getattr(one, "__name__", one))
def test_what_is_no_evidence_is_refused(wrong: Wrong, code: str) -> None:
    play = played()
    member = play.members[play.world.members[0]]
    before = member.state
    with pytest.raises(ProtocolViolation) as refused:
        shown_to(play, member, wrong(play))
    assert refused.value.code == code
    assert member.state == before


def test_a_member_left_out_by_name_is_not_shown_anything_it_would_answer() -> None:
    play = played()
    *standing, gone = play.world.members
    left_out = (LeftOutMember(member=gone, why="silent"),)
    body = evidence(play, members=tuple(standing), left_out=left_out)
    with pytest.raises(ProtocolViolation, match="not_a_validator"):
        shown_to(play, play.members[gone], body)
    # The others go on without it, and without it for good.
    member = play.members[standing[0]]
    shown_to(play, member, body)
    assert member.state.standing == play.world.parties.mask(tuple(standing))
    with pytest.raises(ProtocolViolation, match="wrong_members"):
        shown_to(play, member, play.measured.evidence, (1, 2))


def test_only_the_aggregator_shows_evidence() -> None:
    play = played()
    with pytest.raises(ProtocolViolation, match="wrong_sender"):
        shown_to(play, play.checkers[0], play.measured.evidence, sender=play.world.buyer)


# ---- its place ----


def test_an_attempt_is_shown_once() -> None:
    play = played("show")
    with pytest.raises(ProtocolViolation, match="attempt_out_of_order"):
        shown_to(play, play.checkers[0], play.measured.evidence)


def test_a_round_has_one_next_model_at_all_its_attempts() -> None:
    play = played("show")
    member = play.checkers[0]
    moved = list(play.measured.model)
    moved[0] = moved[0] * play.world.key.lift(1) % play.world.key.n_squared
    other = EncryptedVector.of(play.world.key, moved, MODEL_SCALE)
    with pytest.raises(ProtocolViolation, match="second_model_for_round"):
        shown_to(play, member, evidence(play, next_model=other), (1, 2))


def test_an_attempt_waits_for_the_one_before_it() -> None:
    play = played()
    with pytest.raises(EarlyInput):
        shown_to(play, play.checkers[0], play.measured.evidence, (1, 2))
    with pytest.raises(EarlyInput):
        shown_to(play, play.checkers[0], play.measured.evidence, (2, 1))
    with pytest.raises(ProtocolViolation, match="attempt_out_of_order"):
        shown_to(play, play.checkers[0], play.measured.evidence, (1, 0))


def test_a_round_that_was_opened_is_not_measured_again() -> None:
    play = played(*ALL)
    member = play.checkers[0]
    with pytest.raises(ProtocolViolation, match="already_opened"):
        shown_to(play, member, play.measured.evidence, (1, 2))


def test_before_the_start_evidence_waits() -> None:
    play = played()
    member = play.checkers[0]
    member.state = replace(member.state, parties=replace(member.state.parties, rows=()))
    with pytest.raises(EarlyInput):
        shown_to(play, member, play.measured.evidence)


def test_a_round_that_the_others_have_finished_is_late() -> None:
    play = played()
    member = play.checkers[0]
    link = replace(link_of(member.state), round=1)
    member.state = replace(member.state, link=link, caught_up=1)
    step = shown_to(play, member, play.measured.evidence)
    assert [one.name for one in step.effects] == ["input_late"]
