"""A daemon releases its bonds in time, after a restart as well, and whatever fails meanwhile."""

import asyncio
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from protocol.marketplace import ReleaseBond, Withdraw
from protocol.roles.engine.private import BOND
from protocol.terms import NATIVE
from services.chain.errors import CallReverted, ChainUnavailable
from services.participants.bonds import GONE_SECONDS, release_bonds
from services.store import Store

TOKEN, OWN = "0x" + "70" * 20, "0x" + "0a" * 20


class Chain:
    """Takes the place of the contract: bonds of this party by training, and when they may be released."""

    def __init__(self, bonds, until):
        self.bonds, self.until, self.calls, self.failures = bonds, until, [], []
        self.final, self.gone, self.head = self, set(), 9

    def known_block(self):
        return 9

    async def block_number(self):
        return self.head

    async def status(self, training):
        return "none" if training in self.gone else "settled"

    async def bond_until(self, training, account):
        assert account == OWN
        if self.failures:
            raise self.failures.pop()
        return self.until.get(training, 0)

    async def bond_of(self, training, _account):
        return self.bonds.get(training, 0)

    async def submit(self, call):
        self.calls.append(call)
        if isinstance(call, ReleaseBond):
            del self.bonds[call.training]


@pytest.fixture
def store():
    opened = Store()
    yield opened
    opened.close()


@pytest.fixture
def runtime(store):
    for training, token in ((1, NATIVE), (2, TOKEN), (3, NATIVE)):
        store.put_value(BOND.name_of(training), token.encode())
    client = Chain({1: 5, 2: 7, 3: 9}, {1: 1000, 2: 2000})
    role = SimpleNamespace(withdraws=lambda: True)
    return SimpleNamespace(store=store, address=OWN, role=role, resources=SimpleNamespace(client=client))


async def looks(runtime, *moments):
    """One look at each moment of the clock."""
    left = list(moments)
    done = asyncio.Event()

    def clock():
        return left[0]

    async def pause(seconds):
        assert seconds == 60.0
        left.pop(0)
        if not left:
            done.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(release_bonds(runtime, clock, pause=pause))
    async with asyncio.timeout(300):
        await done.wait()
    task.cancel()


async def test_each_bond_is_released_and_paid_out_when_the_contract_lets_it(runtime):
    chain = runtime.resources.client
    await looks(runtime, 999.0)
    assert chain.calls == []
    await looks(runtime, 1000.0, 1500.0, 2000.0)
    assert chain.calls == [
        ReleaseBond(training=1),
        Withdraw(token=NATIVE),
        ReleaseBond(training=2),
        Withdraw(token=TOKEN),
    ]
    assert runtime.store.values(BOND.prefix) == {"3": NATIVE.encode()}, "which is not over"


async def test_a_bond_that_is_lost_or_released_by_hand_is_seen_to_no_more(runtime):
    chain = runtime.resources.client
    chain.bonds.clear()
    await looks(runtime, 0.0)
    assert chain.calls == [Withdraw(token=NATIVE), Withdraw(token=TOKEN)]
    assert set(runtime.store.values(BOND.prefix)) == {"3"}


async def test_an_owner_that_withdraws_by_hand_finds_its_bond_credited(runtime):
    runtime.role = SimpleNamespace(withdraws=lambda: False)
    await looks(runtime, 2000.0)
    assert runtime.resources.client.calls == [ReleaseBond(training=1), ReleaseBond(training=2)]


async def test_what_fails_is_tried_again_and_hinders_no_other_bond(runtime):
    chain = runtime.resources.client
    chain.failures = [ChainUnavailable("the node is away")]
    with capture_logs() as lines:
        await looks(runtime, 2000.0)
    assert [line["event"] for line in lines if line["log_level"] == "warning"] == ["bond_waits"]
    assert chain.calls == [ReleaseBond(training=2), Withdraw(token=TOKEN)]
    chain.failures = [CallReverted("too_early", (1, 2001))]
    await looks(runtime, 2000.0, 2060.0)
    assert set(runtime.store.values(BOND.prefix)) == {"3"}


async def test_what_nobody_thought_of_does_not_end_the_daemon(runtime):
    chain = runtime.resources.client
    chain.failures = [ValueError("0xsecret")]
    with capture_logs() as lines:
        await looks(runtime, 2000.0)
    assert chain.calls == [ReleaseBond(training=2), Withdraw(token=TOKEN)]
    assert "secret" not in str(lines)


# ---- reorganisations ----


async def test_an_end_that_is_not_confirmed_releases_and_forgets_nothing(runtime):
    """The newest block shows all three over; a reorganisation may take that back."""
    chain = runtime.resources.client
    chain.until = {1: 1000, 2: 1000, 3: 1000}
    chain.final = Chain({1: 5, 2: 7, 3: 9}, {})
    chain.bonds = {}
    await looks(runtime, 2000.0)
    assert chain.calls == []
    assert set(runtime.store.values(BOND.prefix)) == {"1", "2", "3"}


async def test_a_release_that_is_not_confirmed_is_not_forgotten(runtime):
    chain = runtime.resources.client
    chain.until = {1: 1000}
    chain.final = Chain({1: 5, 2: 7, 3: 9}, {1: 1000})
    chain.failures = [ChainUnavailable("submit waits for the confirmation")]
    submit = chain.submit

    async def unconfirmed(call):
        raise chain.failures.pop() if chain.failures else AssertionError(call)

    chain.submit = unconfirmed
    del chain.bonds[1]
    await looks(runtime, 2000.0)
    assert "1" in runtime.store.values(BOND.prefix)
    chain.submit = submit
    chain.final = chain
    await looks(runtime, 2060.0)
    assert "1" not in runtime.store.values(BOND.prefix)


async def test_the_note_of_a_training_that_was_taken_away_is_removed_in_the_end(runtime):
    chain = runtime.resources.client
    chain.gone = {3}
    await looks(runtime, 0.0, GONE_SECONDS - 1)
    assert "3" in runtime.store.values(BOND.prefix)
    await looks(runtime, 0.0, 60.0, GONE_SECONDS)
    assert "3" not in runtime.store.values(BOND.prefix)
    assert ReleaseBond(training=3) not in chain.calls


async def test_a_training_that_is_mined_again_has_its_bond_released(runtime):
    chain = runtime.resources.client
    moments = [0.0, 60.0, GONE_SECONDS, GONE_SECONDS + 60]
    seen = iter([{3}, set(), {3}, {3}])
    status = chain.status

    async def changing(training):
        if training == 3:
            chain.gone = next(seen)
        return await status(training)

    chain.status = changing
    await looks(runtime, *moments)
    assert "3" in runtime.store.values(BOND.prefix), "not gone for long enough at a stretch"
    chain.status, chain.gone, chain.until[3] = status, set(), 1
    await looks(runtime, GONE_SECONDS + 120)
    assert ReleaseBond(training=3) in chain.calls


async def test_a_node_that_is_behind_takes_no_note_away(runtime):
    chain = runtime.resources.client
    chain.gone, chain.head = {3}, 8
    await looks(runtime, 0.0, GONE_SECONDS)
    assert "3" in runtime.store.values(BOND.prefix)
