"""A store that is away is waited for: nothing is lost meanwhile, since nothing is acked or forgotten."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from services.common.errors import StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")


async def retry_while_unavailable(action: Callable[P, T], *values: P.args, **named: P.kwargs) -> T:
    """What `action` asks of a store, asked again while the store does not answer.

    Only for what may take place twice: a commit whose answer was lost may have taken place.
    """
    while True:
        try:
            return action(*values, **named)
        except StoreUnavailable as error:
            await pause(error)


async def pause(error: StoreUnavailable) -> None:
    """Wait as long as the store is left alone after a failure; its database has told of it."""
    await asyncio.sleep(error.rest_seconds)
