"""The buyer's standard errors: two sums of shares make the pooled information, after the model has come."""

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
from protocol.roles.engine.state import replace, store
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
    """Keep the first checker's answer; with two sums the standard errors are worked out.

    A checker that lacks shares says whose, and the other one's sum is of no use then. But it is waited for:
    it says whether that one has the same trainers' shares, and people are told the words of both.

    Raises ProtocolViolation: "wrong_sender", "not_a_trainer" for somebody else said to be silent,
    "wrong_count" for another number of entries.
    """
    awaited, body = state.awaited, received.body
    if awaited is None:
        raise StaleInput
    require(received.sender in awaited.checkers, "wrong_sender")
    if received.sender == awaited.summed_by:
        raise StaleInput
    require(set(body.silent) <= set(awaited.trainers), "not_a_trainer")
    expected = 0 if body.silent else share_bytes(state.request.estimated)
    require(len(body.total) == expected, "wrong_count", f"{len(body.total)} bytes; {expected} expected")
    first = _first_word(awaited, context)
    if awaited.total is None or first is None:
        kept, blob = store(body)
        answered = replace(awaited, total=kept, summed_by=received.sender)
        return Step(replace(state, awaited=answered), (blob,))
    told = CheckerWord(checker=received.sender, lacks=body.silent)
    if first.lacks or told.lacks:
        return _ended(state, _missing("silent", told=(first, told)))
    total = awaited.total.load(InformationSum, context).total
    return _ended(state, _inferred(state, awaited, (total, body.total)))


def on_information_late(state: FinishedState, _about: None, context: Context) -> BuyerStep:
    """A checker has not answered: there are no standard errors, and it is told whose answer is missing."""
    awaited = state.awaited
    if awaited is None:
        return Step.unchanged(state)
    silent = tuple(checker for checker in awaited.checkers if checker != awaited.summed_by)
    first = _first_word(awaited, context)
    return _ended(state, _missing("silent", silent, () if first is None else (first,)))


def _first_word(awaited: AwaitedSums, context: Context) -> CheckerWord | None:
    if awaited.total is None or awaited.summed_by is None:
        return None
    lacks = awaited.total.load(InformationSum, context).silent
    return CheckerWord(checker=awaited.summed_by, lacks=lacks)


def _ended(state: FinishedState, effects: tuple[Effect, ...]) -> BuyerStep:
    return Step(replace(state, awaited=None), (*effects, timers.INFORMATION.cancel()))


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
