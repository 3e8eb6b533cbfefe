"""`python -m services.data.sandboxed_scores`: scores a model on an uploaded file in its own process, bounded.

The model comes by standard input; the figures go out, or an error text.
"""

import sys
import time
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]
from pydantic import ValidationError

from protocol.bought_model import BoughtModel
from protocol.errors import DeltaMLError
from services.common.ending import leave
from services.common.errors import DataSetError
from services.data.own_scores import OwnScores, own_scores
from services.data.sandboxed_reader import MEMORY_BYTES, PROCESSOR_SECONDS, bound, refusal, run_apart


async def scores_apart(
    path: Path, model: BoughtModel, name: str, *, memory_bytes: int = MEMORY_BYTES
) -> OwnScores:
    """The scores of `model` on the rows of `path`, which its buyer calls `name`.

    Raises DataSetError naming what cannot be used of the file, or the bound that it exceeded.
    """
    asked = model.model_dump_json().encode()
    answer = await run_apart("services.data.sandboxed_scores", path, memory_bytes, asked)
    if "scores" in answer:
        return _checked(answer["scores"], model, name)
    exceeded = (
        f"{name} needs more than {memory_bytes >> 20} MiB or {PROCESSOR_SECONDS} seconds, or is damaged; "
        "use: deltaml predict"
    )
    raise DataSetError(refusal(answer, path, name) or exceeded)


def _checked(answer: str, model: BoughtModel, name: str) -> OwnScores:
    """What a process has answered that a file may have taken over; the moment is our own."""
    wrong = DataSetError(f"{name} cannot be scored: reading it gave no figures of a model")
    try:
        scores = OwnScores.model_validate_json(answer)
    except ValidationError:
        raise wrong from None
    if not scores.outside.keys() <= {column.name for column in model.columns}:
        raise wrong
    return scores.model_copy(update={"at": time.time()})


def main() -> None:
    """Score the model of standard input on the file named by the arguments, within the bounds."""
    path, memory = Path(sys.argv[1]), int(sys.argv[2])
    asked = sys.stdin.buffer.read()
    bound(memory)
    sys.stdout.buffer.write(msgpack.packb(_answer(path, asked)))


def _answer(path: Path, asked: bytes) -> dict[str, Any]:
    try:
        scores = own_scores(BoughtModel.model_validate_json(asked), path, time.time())
    except DeltaMLError as error:
        return {"error": str(error)}
    return {"scores": scores.model_dump_json()}


if __name__ == "__main__":
    main()
    leave(0)
