"""The folds of a training: where one ends the owners get other roles, and training starts anew.

The contract tells the next roles with the record of a fold's last round, and no round of the next fold is
trained before. So a party is in one fold at a time, and what is of another one comes early or late.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Protocol

from protocol.crypto.cipher import PublicKey
from protocol.marketplace import RolesDrawn
from protocol.messages import Opening
from protocol.request import Request
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, StaleInput
from protocol.roles.engine.table import Row
from protocol.roles.rounds.start import start_model
from protocol.roles.shared.parties import Parties
from protocol.roles.shared.transcript import TranscriptHead


class _InFold(Protocol):
    @property
    def request(self) -> Request: ...

    @property
    def parties(self) -> Parties: ...


def of_its_fold(row: Row) -> Row:
    """The row, for messages about a round where that is of the fold that is under way.

    Those of a later fold wait (EarlyInput), those of an earlier one are late (StaleInput). Not the buyer's
    openings: their handlers see a second record of the fold's last round.
    """
    return replace(row, handler=_of_its_fold(row.handler))


def _of_its_fold(
    handler: Callable[[Any, Any, Context], Step[Any]],
) -> Callable[[Any, Any, Context], Step[Any]]:
    @wraps(handler)
    def handle(state: Any, content: Any, context: Context) -> Step[Any]:
        if isinstance(content, Received):
            _require_its_fold(state, content)
        return handler(state, content, context)

    return handle


def _require_its_fold(state: _InFold, received: Received[Any]) -> None:
    if received.at.round < 1:
        return
    fold = state.request.schedule.fold_of(received.at.round)
    if fold > state.parties.fold:
        raise EarlyInput
    if fold < state.parties.fold and not isinstance(received.body, Opening):
        raise StaleInput


def in_next_fold(state: _InFold, link: TranscriptHead, event: RolesDrawn) -> Parties:
    """The parties with the roles of the next fold, where `link` says that the one under way is over.

    Raises StaleInput for a draw that was told before, of which every fold has one of its own validators,
    EarlyInput for one that overtook the record of the fold's last round, and as `Parties.in_next_fold`.
    """
    parties, schedule = state.parties, state.request.schedule
    if event.validators & (parties.validators | parties.validated):
        raise StaleInput
    if link.round < (parties.fold + 1) * schedule.fold_rounds:
        raise EarlyInput
    return parties.in_next_fold(event)


def at_next_fold(link: TranscriptHead, request: Request, key: PublicKey) -> TranscriptHead:
    """The chain of rounds where the next fold begins, at the public start."""
    return link.in_next_fold(start_model(request, key).digest())
