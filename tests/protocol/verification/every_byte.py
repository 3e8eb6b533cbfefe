"""Every byte of a transcript, altered: part of `make campaigns`; `make test` has a sample.

All of a trainer's, the smallest; of the larger ones, which are made of the same parts, every seventh.
"""

import pytest

from protocol.errors import ProtocolViolation
from protocol.verification.transcript import from_bytes, to_bytes
from tests.support.roles.proven_training import proven_training
from tests.support.roles.transcripts import PARTIES, entries_of, party_of, sealed


def content_of(name: str) -> bytes:
    party = party_of(proven_training(), name)
    return to_bytes(sealed(party, entries_of(proven_training(), party)))


STEPS = {name: 1 if name == "trainer" else 7 for name in PARTIES}


@pytest.mark.parametrize("name", PARTIES)
def test_a_transcript_of_which_any_byte_differs_is_refused(name):
    content = content_of(name)
    from_bytes(content).require_unaltered()
    for place in range(0, len(content), STEPS[name]):
        altered = content[:place] + bytes([content[place] ^ (1 << place % 8)]) + content[place + 1 :]
        with pytest.raises(ProtocolViolation):
            from_bytes(altered).require_unaltered()
