from dataclasses import dataclass, replace
from types import SimpleNamespace

from services.console.presentation.training_record import TrainingRecord, _listed
from services.store import InstanceRow

ROW = InstanceRow("order:1", 1, b"", "IN_PROGRESS", finished=False, updated_at=1.0)


@dataclass(frozen=True, eq=False)
class SomeParty:
    store: SimpleNamespace


@dataclass(frozen=True)
class Training(TrainingRecord):
    role = "model_buyer"


def test_a_list_knows_the_newest_record_of_each_training_and_no_older_one():
    rows = [ROW, replace(ROW, key="order:2")]
    store = SimpleNamespace(newest_instances=lambda _count, _skipped: rows)
    party, other = SomeParty(store), SomeParty(store)
    first = Training.newest(party)
    before = len(_listed)
    rows[0] = replace(ROW, updated_at=2.0)
    changed, same = Training.newest(party)
    assert changed is not first[0]
    assert changed.row is rows[0]
    assert same is first[1]
    assert len(_listed) == before
    assert Training.newest(other)[1] is not same
