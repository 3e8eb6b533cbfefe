"""Whether the trainings in a store were begun with the rounds that the daemon's settings name."""

from contextlib import suppress

from protocol.errors import ProtocolViolation
from protocol.roles.dispatch import rounds_in
from protocol.types import Rounds
from services.common.errors import ConfigurationError
from services.store import Store


def check_kept_rounds(store: Store, rounds: Rounds) -> None:
    """Raise ConfigurationError, with the remedy, for a training under way that was begun with other rounds.

    Its every input would be refused, and its owners and deposit would wait for its deadlines. One that is
    over stays readable under any setting; a state that cannot be read is left to the step that meets it.
    """
    for key in store.keys_under_way():
        row = store.instance(key)
        if row is None or row.finished:  # its first input waits: it begins with what is set now
            continue
        with suppress(ProtocolViolation):
            if (begun := rounds_in(row.state)) != rounds:
                which = key if row.training is None else str(row.training)
                raise ConfigurationError(
                    f"rounds: {rounds} is set, but training {which} was begun with {begun} rounds; set "
                    f"rounds: {begun} until it has ended"
                )
