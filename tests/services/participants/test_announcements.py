"""An owner introduces itself until it is answered, whatever fails meanwhile."""

import asyncio
import time

from structlog.testing import capture_logs

from protocol.messages import OwnerAnnouncement
from services.common.errors import DataSetError, StoreUnavailable
from services.participants.announcements import announce

BODY = OwnerAnnouncement(model_kinds=("linear_regression",))


class Owner:
    """Takes the place of the role: each aggregator answers after so many announcements."""

    def __init__(self, **after):
        self.after = after

    def announcements(self):
        return tuple((aggregator, BODY) for aggregator, missing in self.after.items() if missing)


class Sender:
    """Takes the place of the runtime."""

    def __init__(self, owner, failures=()):
        self.owner, self.sent, self.failures = owner, [], list(failures)

    async def send(self, aggregator, body):
        if self.failures:
            raise self.failures.pop()
        assert body == BODY
        self.sent.append(aggregator)
        self.owner.after[aggregator] -= 1


async def announced(owner, sender):
    async with asyncio.timeout(300):
        await announce(sender, owner, first_pause=0.001, longest_pause=0.01)


def failing_at_first(monkeypatch, owner, errors):
    """Have the owner's announcements raise these, one after the other, before they can be read."""
    answered = owner.announcements

    def announcements():
        if errors:
            raise errors.pop()
        return answered()

    monkeypatch.setattr(owner, "announcements", announcements)


async def test_each_is_told_until_it_answers():
    owner = Owner(first=1, second=3)
    sender = Sender(owner)
    await announced(owner, sender)
    assert sorted(sender.sent) == ["first", "second", "second", "second"]


async def test_a_store_that_is_away_is_waited_for(monkeypatch):
    """As an owner's daemon ends with its duties, its database must not be able to end these."""
    owner = Owner(first=1)
    unavailable = [StoreUnavailable("the store does not answer", rest_seconds=0.001)] * 3
    failing_at_first(monkeypatch, owner, unavailable)
    sender = Sender(owner)
    await announced(owner, sender)
    assert sender.sent == ["first"]
    assert not unavailable


async def test_nobody_waits_for_an_aggregator_that_has_left_the_list():
    class Leaving(Sender):
        async def send(self, aggregator, body):
            self.owner.after.clear()
            raise OSError("not registered")

    owner = Owner(first=1)
    with capture_logs() as logs:
        await announced(owner, Leaving(owner))
    assert [line["event"] for line in logs] == ["announcement_waits", "announced"]


async def test_what_has_changed_is_announced_again():
    owner, changed = Owner(first=1), asyncio.Event()
    sender = Sender(owner)
    running = asyncio.create_task(announce(sender, owner, changed, first_pause=0.001, longest_pause=0.01))
    async with asyncio.timeout(300):
        while owner.after["first"]:
            await asyncio.sleep(0)
        owner.after["first"] = 2
        changed.set()
        while owner.after["first"]:
            await asyncio.sleep(0.001)
    assert sender.sent == ["first"] * 3
    running.cancel()
    await asyncio.wait([running])


async def test_while_it_waits_it_tells_when_it_asks_again_and_a_change_ends_the_waiting():
    owner, changed = Owner(first=2), asyncio.Event()
    sender = Sender(owner)
    running = asyncio.create_task(announce(sender, owner, changed, first_pause=1000, longest_pause=2000))
    async with asyncio.timeout(300):
        while getattr(owner, "asks_again_at", None) is None:
            await asyncio.sleep(0)
        assert time.time() + 900 < owner.asks_again_at < time.time() + 1100
        owner.after = {"first": 0, "second": 1}  # the operator works with another aggregator now
        changed.set()
        while owner.after["second"]:
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait([running])
    assert sender.sent == ["first", "second"]


async def test_files_that_cannot_be_read_now_are_waited_for(monkeypatch):
    owner = Owner(first=1)
    failing_at_first(monkeypatch, owner, [DataSetError("too many open files")] * 2)
    sender = Sender(owner)
    await announced(owner, sender)
    assert sender.sent == ["first"]


async def test_nobody_is_told_twice_who_has_answered():
    owner = Owner(first=0)
    sender = Sender(owner)
    await announced(owner, sender)
    assert sender.sent == []


async def test_what_fails_is_tried_again_and_tells_no_secret():
    owner = Owner(first=1)
    sender = Sender(owner, [ValueError("secret of the node")] * 2)
    with capture_logs() as logs:
        await announced(owner, sender)
    assert sender.sent == ["first"]
    told = [(line["event"], line.get("attempts")) for line in logs]
    assert told == [("announcement_waits", None), ("announced", 2)]
    assert logs[0]["reason"].endswith(": ValueError")
    assert "secret of the node" not in repr(logs)
    assert "secret" not in repr(logs)
