"""Every message of a checked attempt with something wrong in it: refused, or answered, and never a crash."""

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any

import pytest

from protocol.codec import decoded, pack, validated
from protocol.errors import ProtocolViolation
from protocol.messages.rounds import CHECKED_TYPES
from protocol.roles.engine.refusals import EarlyInput
from tests.support.roles.changed_bodies import variants
from tests.support.roles.checked_owners import ALL, Machined, PlayedAttempt

KINDS = [
    "round_evidence",
    "projection_answer",
    "zero_test_shown",
    "zero_test_consent",
    "zero_test_result",
    "ring_committed",
    "ring_nonce",
    "ring_shared",
    "ring_opening",
    "check_verdict",
    "shown_metrics",
    "shown_noise",
]
SHARE = {"round_evidence": 0.25}
"""Of the variants that are tried; all, where a step is short."""


class Recording(PlayedAttempt):
    """Keeps each member as it was before each message that reached it."""

    moments: dict[tuple[str, str], tuple[Machined, Any]]

    def deliver(self, one: Any) -> None:
        recipient = one.envelope.recipient
        if recipient in self.members:
            part = "checker" if recipient in self.world.checkers else "member"
            before = self.members[recipient].copy()
            super().deliver(one)
            self.moments.setdefault((part, one.envelope.type), (before, one))
            return
        super().deliver(one)


@lru_cache
def recorded() -> Recording:
    play = Recording()
    play.moments = {}
    for name in ALL:
        getattr(play, name)()
        play.run()
    return play


def bodies(play: Recording, part: str, kind: str) -> Iterator[tuple[Machined, Any]]:
    """A member as it stood before the message, and each variant of it that its own type admits."""
    before, signed = play.moments[part, kind]
    random = Random(f"{part} {kind}")
    for changed in variants(decoded(signed.body), random):
        try:
            body = validated(CHECKED_TYPES[kind], changed)
        except ProtocolViolation:
            continue
        if pack(body) != signed.body and random.random() < SHARE.get(kind, 1.0):
            yield before.copy(), play.signed(signed.envelope.sender, signed.envelope.recipient, body)


TO_MEMBERS = ("round_evidence", "check_verdict", "shown_metrics", "shown_noise")
PLACES = [*(("checker", kind) for kind in KINDS), *(("member", kind) for kind in TO_MEMBERS)]


@pytest.mark.parametrize(("part", "kind"), PLACES)
def test_a_changed_message_is_refused_or_answered(part: str, kind: str) -> None:
    tried = 0
    for member, signed in bodies(recorded(), part, kind):
        stood, tried = member.state, tried + 1
        try:
            member.step(signed)
        except (ProtocolViolation, EarlyInput):
            assert member.state == stood
    assert tried


def test_these_are_all_messages_that_reach_a_member() -> None:
    assert set(PLACES) | {("checker", "opening"), ("member", "opening")} <= set(recorded().moments)
    ours = {kind for part, kind in recorded().moments if kind in CHECKED_TYPES}
    assert ours == set(KINDS)
