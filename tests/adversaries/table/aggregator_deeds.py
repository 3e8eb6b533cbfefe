"""What an aggregator can make or show otherwise: requests, models and masks of its own."""

from collections.abc import Sequence
from typing import Any

from protocol.envelope import SignedMessage
from protocol.roles.aggregator.rounds import moments, starting
from protocol.roles.aggregator.rounds.view import TrainingView
from protocol.vectors import EncryptedVector
from tests.adversaries.arena import Arena, Replaced
from tests.adversaries.deeds import shift

# ---- what it makes otherwise ----


def other_request(arena: Arena) -> Sequence[Replaced]:
    made = moments.moment_request

    def make(key: Any, *rest: Any) -> Any:
        first, *others = made(key, *rest)
        return [first * key.lift(1) % key.n_squared, *others]

    return (Replaced(moments, "moment_request", make),)


def other_model(arena: Arena) -> Sequence[Replaced]:
    made = moments.next_model

    def make(key: Any, *rest: Any) -> Any:
        first, *others = made(key, *rest)
        return [first * key.lift(1 << 60) % key.n_squared, *others]

    return (Replaced(moments, "next_model", make),)


def other_dual(arena: Arena) -> Sequence[Replaced]:
    made = moments.rescaled_updates

    def make(key: Any, *rest: Any) -> Any:
        (first, *weights), *others = made(key, *rest)
        return [[first * key.lift(1 << 60) % key.n_squared, *weights], *others]

    return (Replaced(moments, "rescaled_updates", make),)


def duals_forgotten(_arena: Arena) -> Sequence[Replaced]:
    """Every trainer is sent the mean, whatever it carries."""

    def mean(view: Any, _trainer: str, lane: Any) -> Any:
        return lane.start_model.load(EncryptedVector, view.context)

    return (Replaced(TrainingView, "start_of", mean),)


def old_model(arena: Arena) -> Sequence[Replaced]:
    made, first = moments.next_model, []

    def make(*arguments: Any) -> Any:
        first.append(made(*arguments))
        return first[0]

    return (Replaced(moments, "next_model", make),)


def other_start(arena: Arena) -> Sequence[Replaced]:
    made = starting.start_model

    def make(request: Any, key: Any) -> Any:
        model = made(request, key)
        return model.model_copy(update={"ciphertexts": shift(model.ciphertexts, arena, 1 << 60)})

    return (Replaced(starting, "start_model", make),)


# ---- what it shows otherwise ----


def other_masks(_arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    first, *others = body.masks
    return {"masks": ((int.from_bytes(first, "big") + 1).to_bytes(len(first), "big"), *others)}


def blinded_model(arena: Arena, body: Any, _message: SignedMessage) -> dict[str, Any]:
    key, vector = arena.key.public_key, body.next_model
    unit, n, n_squared = int.from_bytes(arena.random.randbytes(64), "big"), int(key.n), int(key.n_squared)

    def times(number: bytes, factor: int, modulus: int) -> bytes:
        return (int.from_bytes(number, "big") * factor % modulus).to_bytes(len(number), "big")

    numbers = tuple(times(one, pow(unit, n, n_squared), n_squared) for one in vector.ciphertexts)
    return {
        "next_model": vector.model_copy(update={"ciphertexts": numbers}),
        "model_roots": tuple(times(one, unit, n) for one in body.model_roots),
    }
