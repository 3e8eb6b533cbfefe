"""What an owner's /health says of aggregators that do not admit it."""

from types import SimpleNamespace

from services.common.errors import StoreUnavailable
from services.daemon.refusal_notes import refusal_notes
from services.records.admissions import Refusal

ONE, OTHER = "0x" + "0a" * 20, "0x" + "0b" * 20


def test_each_refusal_is_told_with_the_name_and_the_time():
    role = SimpleNamespace(refusals=lambda: (Refusal(ONE, 1_800_000_000.5), Refusal(OTHER, None)))
    assert refusal_notes(role, {ONE: "North"}) == [
        f"refused by aggregator North {ONE}, asks again at 2027-01-15T08:00:00Z",
        f"refused by aggregator {OTHER}, asks again now",
    ]


def test_a_store_that_is_away_says_nothing_here():
    def refusals():
        raise StoreUnavailable("away")

    assert refusal_notes(SimpleNamespace(refusals=refusals), {}) == []
