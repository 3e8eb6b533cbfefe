"""Whether an earlier version began trainings in a store with rounds that this one has no more."""

from contextlib import suppress

from protocol.errors import ProtocolViolation
from protocol.roles.dispatch import has_earlier_rounds
from services.common.errors import ConfigurationError
from services.store import Store


def check_kept_rounds(store: Store) -> None:
    """Raise ConfigurationError, with the remedy, where only an earlier version can end a training.

    Its every input would be refused, and its owners and deposit would wait for its deadlines. One that is
    over stays readable; a state that cannot be read is left to the step that meets it.
    """
    for key in store.keys_under_way():
        row = store.instance(key)
        if row is None or row.finished:  # one whose first input waits has not begun
            continue
        with suppress(ProtocolViolation):
            if has_earlier_rounds(row.state):
                which = key if row.training is None else str(row.training)
                raise ConfigurationError(
                    f"training {which} was begun with plain rounds, which this version has no more: let it "
                    "end with the version before, then upgrade; the store is as it was"
                )
