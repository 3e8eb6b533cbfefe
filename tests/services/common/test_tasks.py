"""Tasks that belong together end together."""

import asyncio

import pytest

from services.common.tasks import run_until_first_exit


async def test_when_one_dies_the_others_end_and_its_error_is_told():
    ended = []

    async def waits():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    async def dies():
        await asyncio.sleep(0)
        raise ValueError("too deep")

    with pytest.raises(ValueError, match="too deep"):
        await run_until_first_exit(waits(), dies())
    assert ended == ["waits"]
