"""Adversaries that nobody thought of: random changes of what one party sends, over whole trainings.

Whatever it does, honest parties find nothing of each other, answer nothing twice, and record nothing wrong.
All of it follows from one seed. It signs what it sends, so that handlers and not admission stand against it.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import msgpack

from protocol.codec import decoded
from protocol.envelope import SignedMessage
from tests.adversaries.arena import Arena, prepared
from tests.adversaries.kept import wrongly_kept
from tests.adversaries.outcome import Outcome
from tests.support.roles.bad_trainers import bad_trainer
from tests.support.roles.remembered_steps import remembered_message
from tests.support.roles.small_markets import body_of

PARTS = ("buyer", "aggregator", "trainer", "validator", "first checker", "second checker")
RATES = (0.02, 0.05, 0.1, 0.3)
"""Shares of the messages that are meddled with."""

WAYS = (*["change"] * 8, "change twice", "add", "drop", "hold", "replay", "attempt", "round", "recipient")
ONCE = frozenset(
    {
        *("moment_request", "moment_answer", "round_evidence", "proven_update", "proven_metric"),
        *("projection_request", "projection_answer", "zero_test_shown", "zero_test_consent"),
        *("zero_test_request", "zero_test_result", "zero_test_evidence", "metric_consent", "ring_consent"),
        *("ring_committed", "ring_nonce", "ring_shared", "ring_opening", "opening", "round_signature"),
    }
)
"""What an honest party says once in each attempt: a second one would be a second equation."""
OF_A_MODEL = frozenset({"proven_update", "moment_request", "moment_answer"})
"""What an honest party says once of each model."""
_RECENT = 12
_LARGEST = (1 << 63) - 1
Path = tuple[Any, ...]


@dataclass(frozen=True)
class Wild:
    """One random adversary: its seed says who it is, in what training, and what it does.

    `repeating`: beside a trainer whose model is bad, for which a round is repeated.
    """

    seed: int
    repeating: bool = False

    def play(self) -> Outcome:
        """The market to its end."""
        random = Random(self.seed)
        return self._beside_a_bad_trainer(random) if self.repeating else self._among_good_ones(random)

    def _among_good_ones(self, random: Random) -> Outcome:
        who, pair, rounds = random.choice(PARTS), random.random() < 0.3, random.choice((1, 2))
        if pair and who == "validator":
            who = "second checker"  # of two validators each checks
        arena = prepared(rounds, pair=pair)
        arena.enter(who, _Meddling(random, random.choice(RATES)).deed, redraws=None)
        arena.finish()
        return Outcome(arena)

    def _beside_a_bad_trainer(self, random: Random) -> Outcome:
        """Nothing is meddled with in the first round: the one that is repeated is the second."""
        owners, who = random.choice((5, 6)), random.choice(PARTS)
        if owners == 5 and who == "validator":
            who = "second checker"
        meddling = _Meddling(random, random.choice(RATES[:-1]), first=2)
        arena = bad_trainer(owners=owners, who=who, deed=meddling.deed)
        arena.finish()
        return Outcome(arena)

    def findings(self) -> list[str]:
        """What must not be; nothing, if all is well."""
        outcome = self.play()
        bad = {outcome.arena.owners[0].address} if self.repeating else set()
        return must_not_be(outcome, sitting_out=bad) + wrongly_kept(outcome.arena)


def must_not_be(outcome: Outcome, *, sitting_out: set[str] | None = None) -> list[str]:
    """What of an outcome must not be, whatever its adversary has done; some may be left out."""
    arena, own = outcome.arena, {outcome.arena.adversary}
    people = {
        "named": outcome.named,
        "held to blame": outcome.shown_to_blame,
        "left out": outcome.left_out - (sitting_out or set()),
    }
    found = [
        f"honest, and {what}: a {arena.role_of(one)}" for what, them in people.items() for one in them - own
    ]
    found += [f"an honest party has a bug: {outcome.bugs}"] if outcome.bugs else []
    found += [] if outcome.is_true else ["a wrong number was recorded"]
    found += [] if outcome.is_paid_by_rule else ["the contract pays otherwise than by its rule"]
    return found + answered_twice(arena)


def answered_twice(arena: Arena) -> list[str]:
    """Of what honest parties say once, whatever they have said in two versions.

    Of a round after one that the buyer has named somebody in there are two models, and so two answers.
    """
    refused = {one.envelope.round for one in arena.sent("opening_refused") if body_of(one).named}
    said = defaultdict[tuple[Any, ...], set[Any]](set)
    for message in arena.wire:
        envelope, body = message.envelope, body_of(message)
        if envelope.type not in ONCE or envelope.sender == arena.adversary:
            continue
        attempt = 0 if envelope.type in ("proven_update", "opening") else envelope.attempt
        place = (envelope.type, envelope.sender, envelope.round, attempt, getattr(body, "purpose", ""))
        if envelope.type == "ring_shared":
            said[place].add(body.share)  # the seed goes to the next maker alone
        else:
            to = "" if envelope.type in ("ring_committed", "ring_nonce", "opening") else envelope.recipient
            said[(*place, to)].add(message.body)
    return [
        f"{kind} in {len(bodies)} versions"
        for (kind, _sender, round_number, *_rest), bodies in said.items()
        if len(bodies) > 1 + (kind in OF_A_MODEL and round_number - 1 in refused)
    ]


class _Meddling:
    """What a wild adversary has sent, and holds back."""

    def __init__(self, random: Random, rate: float, first: int = 1) -> None:
        self.random, self.rate, self.first = random, rate, first
        self.sent: list[SignedMessage] = []
        self.held: list[SignedMessage] = []

    def deed(self, arena: Arena, message: SignedMessage) -> Sequence[SignedMessage]:
        """Most messages as they are; some in another way, or later."""
        meddled = message.envelope.round >= self.first and self.random.random() < self.rate
        passed = self._meddled(arena, message) if meddled else [message]
        self.sent.append(message)
        if self.held and self.random.random() < 0.3:
            passed.append(self.held.pop(0))
        return passed

    def _meddled(self, arena: Arena, message: SignedMessage) -> list[SignedMessage]:
        envelope, way = message.envelope, self.random.choice(WAYS)
        step = self.random.choice((-1, 1))
        match way:
            case "drop":
                return []
            case "hold":
                self.held.append(message)
                return []
            case "replay" if self.sent:
                old = self.random.choice(self.sent)
                again = resent(arena, old, old.body, round=envelope.round, attempt=envelope.attempt)
                return [message, again]
            case "attempt":
                return [resent(arena, message, message.body, attempt=max(0, envelope.attempt + step))]
            case "round":
                return [resent(arena, message, message.body, round=max(0, envelope.round + step))]
            case "recipient":
                other = self.random.choice([one for one in arena.parties if one != envelope.sender])
                return [message, resent(arena, message, message.body, recipient=other)]
        changed = resent(arena, message, self._changed(arena, message, 2 if way == "change twice" else 1))
        return [message, changed] if way == "add" else [changed]

    def _changed(self, arena: Arena, message: SignedMessage, times: int) -> bytes:
        """Its body with another value somewhere, each field as likely."""
        plain, random = decoded(message.body), self.random
        recent = [value for one in self.sent[-_RECENT:] for _, value in values(decoded(one.body))]
        for _ in range(times):
            found = [(path, value) for path, value in values(plain) if path and path[-1] != "type"]
            if not found:
                break
            field = random.choice(sorted({str(path[0]) for path, _ in found}))
            path, value = random.choice([one for one in found if str(one[0][0]) == field])
            known = [other for _, other in found] + recent
            plain = changed_at(plain, path, another(random, value, known, int(arena.key.public_key.n)))
        return bytes(msgpack.packb(plain, use_bin_type=True))


def resent(arena: Arena, message: SignedMessage, body: bytes, **envelope: Any) -> SignedMessage:
    """Signed anew by its sender."""
    changed = message.envelope.model_copy(update={"message_id": arena.random.randbytes(16), **envelope})
    return remembered_message(changed, body, arena.parties[message.envelope.sender].signing_key)


# ---- values of a body ----


def values(plain: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value inside, and each that holds others, with the way to it."""
    if isinstance(plain, dict):
        inner: Any = plain.items()
    else:
        inner = enumerate(plain) if isinstance(plain, list | tuple) else ()
    for key, value in inner:
        yield from values(value, (*path, key))
    yield path, plain


def changed_at(plain: Any, path: Path, value: Any) -> Any:
    """The same with another value in one place."""
    if not path:
        return value
    first, *rest = path
    copied: Any = dict(plain) if isinstance(plain, dict) else list(plain)
    copied[first] = changed_at(copied[first], tuple(rest), value)
    return copied


def another(random: Random, value: Any, known: Sequence[Any], n: int) -> Any:
    """A value in another's place: of the same kind, at a bound, or from elsewhere."""
    if isinstance(value, bytes):
        return _other_bytes(random, value, known, n)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        near = (0, 1, -1, value + 1, value - 1, -value, value + (1 << random.randrange(64)), _LARGEST)
        return random.choice([one for one in near if -_LARGEST <= one <= _LARGEST])
    if isinstance(value, str):
        return random.choice(["", value + "x", *(one for one in known if isinstance(one, str))])
    if isinstance(value, list | tuple):
        return _other_list(random, list(value))
    if isinstance(value, dict):
        return dict(list(value.items())[1:])
    return random.choice([0, b"", b"\1" * 32, "x", []])


def _other_bytes(random: Random, value: bytes, known: Sequence[Any], n: int) -> bytes:
    """As a number modulo n², or n where it is no longer than that."""
    length, number = len(value), int.from_bytes(value, "big")
    modulus = n if length <= (n.bit_length() + 7) // 8 else n * n
    same = [one for one in known if isinstance(one, bytes) and len(one) == length and one != value]
    numbers = (0, 1, modulus - 1, number + 1, number - 1, modulus - number, n, n * (n - 1))
    shapes = (value[:-1], b"\0" + value, b"\xff" * length, b"")
    if random.random() < 0.2:
        return random.choice(shapes)
    if same and random.random() < 0.4:
        return random.choice(same)
    return (random.choice(numbers) % (1 << 8 * length)).to_bytes(length, "big")


def _other_list(random: Random, value: list[Any]) -> list[Any]:
    if not value:
        return [None]
    changed = (value[1:], value[:-1], [value[0], *value], value[::-1], [*value[1:], value[0]], [], value * 2)
    return random.choice(changed)
