"""What a demo tells of a training on a terminal."""

import pytest

from protocol.messages.chain import ChainEvent
from services.cli.demo_session import Narrator
from services.data.sample_request import DemoOptions
from tests.support.console.trainings import round_of


@pytest.mark.parametrize(
    ("number", "last", "end"),
    [
        (1, False, ""),
        (2, True, "; the last, it gained less than the tolerance"),
        (5, True, ""),
    ],
)
def test_a_round_is_told_with_what_it_left_of_the_error_and_why_no_other_follows(capsys, number, last, end):
    event = ChainEvent(
        event=round_of(1, number, last=last),
        chain_id=1,
        block_number=1,
        block_hash=bytes(32),
        transaction_hash=bytes(32),
        log_index=0,
        timestamp=1_800_000_000,
    )
    Narrator(DemoOptions()).tell("", event)
    said = f"round   {number} of at most 5: 90.00% of the error before is left{end}\n"
    assert capsys.readouterr().out == said
