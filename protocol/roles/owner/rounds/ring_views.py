"""What a member knows by itself of the rings of its attempt, and of the errors that one is about."""

from protocol.crypto.ring.context import Maker, Purpose
from protocol.messages import OpeningRefused
from protocol.roles.owner.attempts import Attempt, Ranging
from protocol.roles.owner.rounds.view import RoundView
from protocol.roles.rounds.attempt import ring_context
from protocol.roles.rounds.forms import share_form
from protocol.roles.rounds.members import member_weights
from protocol.roles.rounds.opened_errors import SaidErrors
from protocol.roles.rounds.ring_state import RingView


def ring_view(view: RoundView, attempt: Attempt, purpose: Purpose) -> RingView:
    """What a checker knows by itself of one of its attempt's rings: parties, form of shares, place."""
    state, parties = view.state, (view.state.request.aggregator, *attempt.checkers)
    first, second = (view.owners.of(checker).base for checker in attempt.checkers)
    context = ring_context(view.identity, attempt.at, purpose, parties[0], attempt.checkers)
    weights = sum(member_weights(state.parties, attempt.members).values())
    if purpose is Purpose.ERRORS:
        form = said_errors(view, attempt).form
    else:
        form = share_form(purpose, state.request, view.widths, view.exchange, weights)
    return RingView(view.key, context, form, (first, second), Maker(parties.index(view.context.address)))


def said_errors(view: RoundView, attempt: Attempt) -> SaidErrors:
    """What the buyer has said of errors in the word that the attempt's ranges were opened for."""
    assert attempt.ranging is not None  # nothing is opened of errors before
    return errors_said_in(view, attempt, attempt.ranging)


def errors_said_in(view: RoundView, attempt: Attempt, said: OpeningRefused | Ranging) -> SaidErrors:
    """What a word of the buyer's says of an attempt's errors, with all that it is judged by."""
    state = view.state
    assert state.link is not None  # which stands since the first evidence
    return SaidErrors(
        exchange=view.exchange,
        weights=member_weights(state.parties, attempt.members),
        request=state.request,
        parties=state.parties,
        link=state.link,
        trainers=view.trainers,
        named=said.named,
        negative=said.negative,
    )
