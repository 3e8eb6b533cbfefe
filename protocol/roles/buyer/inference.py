"""The buyer's standard errors: two sums of shares make the pooled information, after the model has come."""

from collections.abc import Mapping

from protocol.codec import pack
from protocol.learning.inference.estimates import (
    CheckerWord,
    Inference,
    Missing,
    Validation,
    infer,
    validation_rows,
)
from protocol.learning.inference.sharing import opened, share_bytes
from protocol.learning.kinds.interface import PublishedErrors
from protocol.messages.inference import InformationSum
from protocol.records import FIXED_POINT
from protocol.roles.buyer.state import AwaitedSums, BuyerStep, CollectingState, FinishedState
from protocol.roles.engine import facts, timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.effects import Effect, KeepResult
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import StaleInput, require
from protocol.roles.engine.state import BlobRef, replace, store
from protocol.roles.rounds.members import member_weights
from protocol.roles.rounds.pooling import pool_of
from protocol.types import Address


def published_errors(state: CollectingState) -> PublishedErrors:
    """The chain's errors of the first model and of the delivered one, in the target's own units squared."""
    unit = state.request.error_unit / FIXED_POINT
    return PublishedErrors(float(unit * state.start_error), float(unit * state.delivered_error))


def awaited_sums(state: CollectingState, context: Context) -> tuple[AwaitedSums | None, tuple[Effect, ...]]:
    """Whose sums are waited for once the model is here, and the effects of that.

    None where the request asks for none; and where the training ended before its last round, or too few had
    trained that one: then no owner opens anything, and the result says so.
    """
    if not state.request.inference:
        return None, ()
    if not state.last_recorded:
        return None, _missing("ended_early")
    trained, measured = state.trained_by, state.measured_by
    pool = pool_of(state.parties, context.market, state.training, state.recorded, trained, measured)
    if pool is None:
        return None, _missing("too_few_trainers")
    errors = published_errors(state)
    awaited = AwaitedSums(
        trainers=pool.trainers,
        checkers=pool.checkers,
        start_error=errors.start,
        delivered_error=errors.delivered,
        validation_rows=_validation_rows(state),
    )
    deadlines = state.request.deadlines
    # The checkers have waited as long as that for the trainers, and need as long themselves.
    wait = timers.INFORMATION.set(2.0 * (deadlines.chain_s + deadlines.step_s))
    return awaited, (wait,)


def _validation_rows(state: CollectingState) -> float:
    """Of the last round's members, as their errors were weighed."""
    weights = member_weights(state.parties, state.measured_by)
    rows = state.parties.rows_by_owner()
    return validation_rows([rows[member] for member in weights], list(weights.values()))


def on_information_sum(
    state: FinishedState, received: Received[InformationSum], context: Context
) -> BuyerStep:
    """Keep a checker's answer; with two sums, however late, the standard errors are worked out.

    A checker that lacks shares says whose, and the other one's sum is of no use until it sends its own. So
    people are told the words of both: the other's says whether it has the same trainers' shares.

    Raises ProtocolViolation: "wrong_sender", "not_a_trainer" for somebody else said to be silent,
    "wrong_count" for another number of entries.
    """
    awaited, body = state.awaited, received.body
    if awaited is None:
        raise StaleInput
    require(received.sender in awaited.checkers, "wrong_sender")
    require(set(body.silent) <= set(awaited.trainers), "not_a_trainer")
    expected = 0 if body.silent else share_bytes(state.request.estimated)
    require(len(body.total) == expected, "wrong_count", f"{len(body.total)} bytes; {expected} expected")
    answers = _answers(awaited, context)
    before = answers.get(received.sender)
    if before is not None and (body.silent or not before.silent):
        raise StaleInput
    kept, blob = store(body)
    answers[received.sender] = body
    answered = replace(state, awaited=_with_answer(awaited, received.sender, kept))
    if len(answers) < len(awaited.checkers):
        return Step(answered, (blob,))
    done = timers.INFORMATION.cancel()
    if any(answer.silent for answer in answers.values()):
        return Step(answered, (blob, *_missing("silent", told=_words(answers)), done))
    first, second = (answer.total for answer in answers.values())
    return Step(replace(state, awaited=None), (*_inferred(state, awaited, (first, second)), done))


def on_information_late(state: FinishedState, _about: None, context: Context) -> BuyerStep:
    """A checker has not answered yet: people are told which. Its answer counts whenever it comes."""
    awaited = state.awaited
    if awaited is None:
        return Step.unchanged(state)
    answers = _answers(awaited, context)
    silent = tuple(checker for checker in awaited.checkers if checker not in answers)
    return Step(state, _missing("silent", silent, _words(answers)))


def _answers(awaited: AwaitedSums, context: Context) -> dict[Address, InformationSum]:
    """What the checkers have said last, by their addresses, the one that was first before the other."""
    if awaited.total is None or awaited.summed_by is None:
        return {}
    answers = {awaited.summed_by: awaited.total.load(InformationSum, context)}
    if awaited.other is not None:
        [other] = set(awaited.checkers) - {awaited.summed_by}
        answers[other] = awaited.other.load(InformationSum, context)
    return answers


def _with_answer(awaited: AwaitedSums, checker: Address, answer: BlobRef) -> AwaitedSums:
    if awaited.summed_by in (None, checker):
        return replace(awaited, total=answer, summed_by=checker)
    return replace(awaited, other=answer)


def _words(answers: Mapping[Address, InformationSum]) -> tuple[CheckerWord, ...]:
    return tuple(CheckerWord(checker=one, lacks=answer.silent) for one, answer in answers.items())


def _inferred(state: FinishedState, awaited: AwaitedSums, sums: tuple[bytes, bytes]) -> tuple[Effect, ...]:
    information = opened(*sums, state.request.estimated)
    by_owner = state.parties.rows_by_owner()
    rows = [by_owner[trainer] for trainer in awaited.trainers]
    errors = PublishedErrors(awaited.start_error, awaited.delivered_error)
    return _kept(infer(state.request, information, rows, Validation(errors, awaited.validation_rows)))


def _missing(
    why: Missing, silent: tuple[Address, ...] = (), told: tuple[CheckerWord, ...] = ()
) -> tuple[Effect, ...]:
    return _kept(Inference(missing=why, silent=silent, told=told))


def _kept(found: Inference) -> tuple[Effect, ...]:
    """The result for the buyer, and a fact that it is there or why it is not."""
    result = KeepResult(name="inference", content=pack(found))
    if found.missing is None:
        return result, facts.INFERRED.of(trainers=found.trainers)
    told = [word.model_dump(mode="json") for word in found.told]
    return result, facts.NOT_INFERRED.of(code=found.missing, silent=list(found.silent), told=told)
