"""Reasons read as text, and can be told in other words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codec import pack, unpack
from protocol.reason import HELD, OTHER_KIND, TEMPLATES, Reason
from protocol.types import FrozenModel


class Kept(FrozenModel):
    reasons: tuple[str, ...]


def test_a_reason_is_the_text_of_its_template_and_keeps_both() -> None:
    reason = Reason(OTHER_KIND, column="'age'", held=Reason(HELD["date"]), asked=Reason(HELD["numeric"]))
    assert reason == "column 'age' holds dates; numbers asked"
    assert (reason.template, reason.values["held"].template) == (OTHER_KIND, "dates")


@given(st.text())
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    """Names of columns are strangers' texts, and may hold marks of their own."""
    assert Reason("no column %(column)s", column=value) == f"no column {value}"


def test_a_value_that_is_missing_is_a_mistake_of_the_program() -> None:
    with pytest.raises(KeyError, match="column"):
        Reason("no column %(column)s")


def test_reasons_are_stored_as_plain_text() -> None:
    stored = unpack(Kept, pack(Kept(reasons=(Reason("numbers"),))))
    assert [type(reason) for reason in stored.reasons] == [str]
    assert len(set(TEMPLATES)) == len(TEMPLATES)
