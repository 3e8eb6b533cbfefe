"""`python -m services.data.sandboxed_fit`: fits an owner's rows in its own process, bounded.

The kinds of models that need it take some passes over the file once the request is known. Request
and statistic come by standard input; the statistic with what was fitted goes out, or an error text without
values.
"""

import sys
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]

from protocol.errors import DeltaMLError
from protocol.learning.glm.fitting import with_fit
from protocol.learning.statistic import Statistic
from protocol.request import Request
from services.common.ending import leave
from services.common.errors import DataSetError
from services.data.row_reader import kinds_asked, read_tables
from services.data.sandboxed_reader import MEMORY_BYTES, bound, refusal, run_apart


async def fit_apart(
    path: Path, request: Request, statistic: Statistic, *, memory_bytes: int = MEMORY_BYTES
) -> Statistic:
    """The statistic with the fit of `path`, the file that it was made of.

    Raises DataSetError for a file that is gone, has other rows than it had, or exceeds the bounds.
    """
    asked = {"request": request.model_dump_json(), "statistic": statistic.to_bytes()}
    answer = await run_apart("services.data.sandboxed_fit", path, memory_bytes, msgpack.packb(asked))
    if "statistic" not in answer:
        raise DataSetError(
            refusal(answer, path, str(path)) or f"{path} needs more than memory and time allow"
        )
    return Statistic.from_bytes(answer["statistic"])


def main() -> None:
    """Fit the file named by the arguments, as standard input asks, within the bounds."""
    path, memory = Path(sys.argv[1]), int(sys.argv[2])
    asked = msgpack.unpackb(sys.stdin.buffer.read())
    bound(memory)
    sys.stdout.buffer.write(msgpack.packb(_answer(path, asked)))


def _answer(path: Path, asked: dict[str, Any]) -> dict[str, Any]:
    try:
        request = Request.model_validate_json(asked["request"])
        statistic = Statistic.from_bytes(asked["statistic"])
        kinds = kinds_asked(request.columns)
        fitted = with_fit(request, statistic, lambda: read_tables(path, kinds))
    except DeltaMLError as error:
        return {"error": str(error)}
    return {"statistic": fitted.to_bytes()}


if __name__ == "__main__":
    main()
    leave(0)
