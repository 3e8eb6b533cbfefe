"""Places are given by rank, then in order, to whoever is waiting still, and none is lost."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.runtime.turns import Turns


async def _all_come(turns: Turns, ranks: list[int], cancelled: frozenset[int] = frozenset()) -> list[int]:
    """The order in which those come who ask while all places are taken, but those who give up."""
    came, ended = list[int](), asyncio.Event()

    async def ask(number: int, rank: int) -> None:
        async with turns.turn(rank):
            came.append(number)

    async def hold() -> None:
        async with turns.turn(0):
            await ended.wait()

    held = asyncio.create_task(hold())
    await asyncio.sleep(0)
    tasks = [asyncio.create_task(ask(number, rank)) for number, rank in enumerate(ranks)]
    await asyncio.sleep(0)
    for number in cancelled:
        tasks[number].cancel()
    ended.set()
    await asyncio.wait([held, *tasks])
    return came


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8), st.data())
def test_the_lowest_rank_comes_first_and_of_a_rank_who_came_first(ranks, data):
    cancelled = data.draw(st.frozensets(st.integers(0, len(ranks) - 1)))
    came = asyncio.run(_all_come(Turns(1), ranks, cancelled))
    expected = [number for number in range(len(ranks)) if number not in cancelled]
    assert came == sorted(expected, key=lambda number: (ranks[number], number))


async def test_no_more_are_at_it_than_there_are_places():
    turns, at_it, most = Turns(2), 0, 0

    async def work(rank: int) -> None:
        nonlocal at_it, most
        async with turns.turn(rank):
            at_it += 1
            most = max(most, at_it)
            await asyncio.sleep(0)
            at_it -= 1

    await asyncio.gather(*(work(number % 3) for number in range(20)))
    assert (at_it, most) == (0, 2)


async def test_a_place_that_was_given_to_somebody_who_gives_up_goes_to_the_next():
    turns, came = Turns(1), list[str]()

    async def ask(name: str) -> None:
        async with turns.turn(0):
            came.append(name)

    async with turns.turn(0):
        first, second = asyncio.create_task(ask("first")), asyncio.create_task(ask("second"))
        await asyncio.sleep(0)
    first.cancel()  # the place is its own already
    await asyncio.wait([first, second])
    assert came == ["second"]
    await asyncio.wait_for(ask("third"), 5)


async def test_a_block_that_fails_gives_its_place_back():
    turns = Turns(1)

    async def fail() -> None:
        async with turns.turn(0):
            raise ValueError

    for _ in range(3):
        with pytest.raises(ValueError, match=r"^$"):
            await asyncio.wait_for(fail(), 5)
