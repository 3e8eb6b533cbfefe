"""Passwords are checked a few at a time, whoever hangs up."""

import asyncio
import threading

import pytest

from services.console.auth.password_check import MOST_WAITING, PasswordCheck, TooBusyError


class SlowAccounts:
    """Checks that end when they are told to."""

    def __init__(self):
        self.go_on = threading.Event()
        self.loop = asyncio.get_running_loop()
        self.begun = asyncio.Queue()
        self.running = self.most = 0

    def verify(self, name, _password):
        self.running += 1
        self.most = max(self.most, self.running)
        self.loop.call_soon_threadsafe(self.begun.put_nowait, name)
        assert self.go_on.wait(10)
        self.running -= 1


async def test_strangers_are_checked_one_at_a_time_and_known_browsers_beside_them():
    accounts = SlowAccounts()
    check = PasswordCheck(accounts)
    strangers = [asyncio.create_task(check.verify(f"s{n}", "", known=False)) for n in range(MOST_WAITING)]
    assert await accounts.begun.get() == "s0"
    with pytest.raises(TooBusyError):
        await check.verify("another", "", known=False)
    known = asyncio.create_task(check.verify("olga", "", known=True))
    assert await accounts.begun.get() == "olga"
    accounts.go_on.set()
    await asyncio.gather(known, *strangers)
    assert accounts.most == 2


async def test_hanging_up_makes_no_room_for_another_check():
    accounts = SlowAccounts()
    check = PasswordCheck(accounts)
    for number in range(MOST_WAITING):
        task = asyncio.create_task(check.verify(f"s{number}", "", known=False))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    with pytest.raises(TooBusyError):
        await check.verify("another", "", known=False)
    accounts.go_on.set()
    for _ in range(MOST_WAITING):
        await accounts.begun.get()
    assert accounts.most == 1
