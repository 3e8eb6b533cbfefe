"""The cursor alone: random chains, random reorganisations, random crashes."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codec import pack, unpack
from protocol.marketplace import Withdrawn
from protocol.messages import ChainEvent
from services.chain.errors import DeepReorganisation
from services.chain.events.cursor import Cursor, SeenBlock

CONFIRMATIONS = 4
WINDOW = 7
FIRST = 3


def digest(number: int) -> bytes:
    return number.to_bytes(32, "big")


class Chain:
    """Blocks by number; each hash and each event is new."""

    def __init__(self) -> None:
        self.made = 0
        self.blocks: list[SeenBlock] = []
        self.extend([0] * (FIRST + 1))

    def extend(self, event_counts) -> None:
        for count in event_counts:
            self.made += 1
            number, block_hash = len(self.blocks), digest(self.made)
            parent = self.blocks[-1].hash if self.blocks else digest(0)
            events = tuple(self.event(number, block_hash, index) for index in range(count))
            self.blocks.append(SeenBlock(number=number, hash=block_hash, parent=parent, events=events))

    def event(self, number: int, block_hash: bytes, index: int) -> ChainEvent:
        return ChainEvent(
            event=Withdrawn(account="0x" + "a" * 40, amount=1),
            chain_id=1,
            block_number=number,
            block_hash=block_hash,
            transaction_hash=digest(index),
            log_index=index,
            timestamp=number,
        )

    def reorganise(self, depth: int, event_counts) -> None:
        """Replace up to `depth` newest blocks, never those below `FIRST`."""
        keep = max(FIRST, len(self.blocks) - depth)
        missing = len(self.blocks) - keep
        del self.blocks[keep:]
        self.extend((list(event_counts) + [0] * missing)[: max(missing, len(event_counts))])

    def hashes(self):
        return {block.number: block.hash for block in self.blocks}

    def events(self, below: int):
        return [event for block in self.blocks[FIRST:below] for event in block.events]


class Follower:
    """What a listener does with a cursor, without a node; a crash forgets everything since `store`."""

    def __init__(self) -> None:
        self.cursor = Cursor.start(digest(1), FIRST)
        self.stored = pack(self.cursor)
        self.seen: list[ChainEvent] = []
        self.confirmed: list[ChainEvent] = []
        self.crashed = False

    def follow(self, chain: Chain) -> None:
        self.cursor, gone = self.cursor.rewind(chain.hashes())
        for event in gone:
            with contextlib.suppress(*[ValueError] * self.crashed):  # taken back before the crash already
                self.seen.remove(event.model_copy(update={"removed": False}))
        for block in chain.blocks[self.cursor.next_seen :]:
            assert self.cursor.follows(block)
            self.seen += block.events
            self.cursor, final = self.cursor.see(block, WINDOW).confirm(CONFIRMATIONS)
            self.confirmed += final

    def store(self) -> None:
        self.stored = pack(self.cursor)

    def crash(self) -> None:
        self.crashed = True
        self.cursor = unpack(Cursor, self.stored)


counts = st.lists(st.integers(0, 2), max_size=9)
steps = st.lists(st.tuples(st.integers(0, CONFIRMATIONS), counts), max_size=12)


@given(steps)
def test_random_reorganisations_lose_nothing_and_double_nothing(steps) -> None:
    chain, follower = Chain(), Follower()
    for depth, events in steps:
        chain.reorganise(depth, events)
        follower.follow(chain)
        assert follower.seen == chain.events(len(chain.blocks))
        assert follower.confirmed == chain.events(len(chain.blocks) - CONFIRMATIONS)
        assert len(follower.cursor.blocks) <= WINDOW


@given(st.lists(st.tuples(st.integers(0, CONFIRMATIONS), counts, st.sampled_from(["", "store", "crash"]))))
def test_after_a_crash_events_may_repeat_with_their_identity_but_none_is_lost(steps) -> None:
    chain, follower = Chain(), Follower()
    for depth, events, then in steps:
        chain.reorganise(depth, events)
        follower.follow(chain)
        if then:
            getattr(follower, then)()
    follower.follow(chain)
    once = list({(event.block_hash, event.log_index): event for event in follower.confirmed}.values())
    assert once == chain.events(len(chain.blocks) - CONFIRMATIONS)


def test_vanished_events_come_newest_first_and_marked() -> None:
    chain, follower = Chain(), Follower()
    chain.extend([2, 1])
    follower.follow(chain)
    expected = [event.model_copy(update={"removed": True}) for event in reversed(chain.events(99))]
    chain.reorganise(2, [])
    _, gone = follower.cursor.rewind(chain.hashes())
    assert gone == expected


def test_a_node_that_lags_behind_takes_nothing_back() -> None:
    chain, follower = Chain(), Follower()
    chain.extend([1, 1, 1])
    follower.follow(chain)
    behind = dict(list(chain.hashes().items())[:-2])
    assert follower.cursor.rewind(behind) == (follower.cursor, [])
    assert follower.cursor.rewind({}) == (follower.cursor, [])


def test_a_chain_that_shares_no_remembered_block_is_refused() -> None:
    chain, follower = Chain(), Follower()
    chain.extend([0] * (WINDOW + 3))
    follower.follow(chain)
    chain.reorganise(WINDOW, [])
    with pytest.raises(DeepReorganisation, match="none of the blocks 7 to 13"):
        follower.follow(chain)


def test_a_confirmed_event_that_vanished_is_refused_but_confirmed_silence_is_not() -> None:
    chain, follower = Chain(), Follower()
    chain.extend([1] + [0] * CONFIRMATIONS)
    follower.follow(chain)
    assert len(follower.confirmed) == 1
    chain.reorganise(CONFIRMATIONS + 1, [])
    with pytest.raises(DeepReorganisation, match="block 4 with 1 confirmed events"):
        follower.follow(chain)

    chain, follower = Chain(), Follower()
    chain.extend([0] * (CONFIRMATIONS + 1))
    follower.follow(chain)
    chain.reorganise(CONFIRMATIONS + 1, [1])
    follower.follow(chain)
    assert follower.confirmed == chain.events(99)


def test_the_contract_s_own_block_may_be_replaced() -> None:
    chain, follower = Chain(), Follower()
    chain.extend([1])
    follower.follow(chain)
    chain.reorganise(2, [1, 1])
    follower.follow(chain)
    assert follower.seen == chain.events(99)
