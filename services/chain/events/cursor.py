"""Which blocks were seen, which of them are final, and what a reorganisation took back: no node, no clock.

A cursor is a value: every method returns the next cursor together with the events to publish, so that the
caller can store both in one transaction.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from protocol.messages import ChainEvent
from protocol.types import Digest, FrozenModel
from services.chain.errors import DeepReorganisation

BlockNumber = Annotated[int, Field(ge=0, lt=1 << 63)]
Events = list[ChainEvent]


class SeenBlock(FrozenModel):
    """A block with the contract's events in it; they are kept because its node forgets a block it drops."""

    number: BlockNumber
    hash: Digest
    parent: Digest
    events: tuple[ChainEvent, ...] = ()


class Cursor(FrozenModel):
    """Everything below `next_seen` was seen, everything below `next_confirmed` confirmed.

    `first` is the contract's own block, before which nothing matters. `blocks` are the newest seen ones
    without a gap, up to `next_seen` − 1; empty while history is read.
    """

    genesis: Digest
    first: BlockNumber
    next_seen: BlockNumber
    next_confirmed: BlockNumber
    blocks: tuple[SeenBlock, ...] = ()

    @classmethod
    def start(cls, genesis: bytes, first: int) -> "Cursor":
        """Nothing seen yet."""
        return cls(genesis=genesis, first=first, next_seen=first, next_confirmed=first)

    @property
    def tip(self) -> SeenBlock | None:
        """The newest seen block."""
        return self.blocks[-1] if self.blocks else None

    def follows(self, block: SeenBlock) -> bool:
        """Whether `block` is the child of the newest seen one."""
        return block.number == self.next_seen and (self.tip is None or block.parent == self.tip.hash)

    def see(self, block: SeenBlock, window: int) -> "Cursor":
        """Append the next block, which must follow; its events are to be published as seen."""
        assert self.follows(block), "the caller checks the linkage"
        kept = (*self.blocks, block)
        # What is not yet confirmed stays: its events exist nowhere else until they are published.
        first = min(block.number + 1 - window, self.next_confirmed)
        blocks = tuple(old for old in kept if old.number >= first)
        return self.model_copy(update={"next_seen": block.number + 1, "blocks": blocks})

    def confirm(self, confirmations: int) -> "tuple[Cursor, Events]":
        """Everything with at least `confirmations` seen blocks on top becomes final."""
        end = max(self.next_confirmed, self.next_seen - confirmations)
        final = [block for block in self.blocks if self.next_confirmed <= block.number < end]
        events = [event for block in final for event in block.events]
        return self.model_copy(update={"next_confirmed": end}), events

    def pass_history(self, next_block: int) -> "Cursor":
        """Blocks below `next_block` were read as final and are not kept; every seen one must be confirmed."""
        assert self.next_confirmed == self.next_seen, "history begins where nothing waits for confirmation"
        return Cursor(genesis=self.genesis, first=self.first, next_seen=next_block, next_confirmed=next_block)

    def rewind(self, chain: Mapping[int, bytes]) -> "tuple[Cursor, Events]":
        """Go back to the newest seen block that is still in the chain; `chain` gives hashes by block number.

        Returns the events that vanished, newest first. Numbers that `chain` does not give are taken as
        unknown, not as vanished: a node may lag behind the one that was asked before. Raises
        DeepReorganisation where no kept block is left, or where a vanished event was confirmed: roles acted
        on it, and that cannot be undone.
        """
        known = [block for block in self.blocks if block.number in chain]
        if not known or chain[known[-1].number] == known[-1].hash:
            return self, []
        next_block = self._after_ancestor(chain)
        gone = [block for block in self.blocks if block.number >= next_block]
        for block in gone:
            if block.events and block.number < self.next_confirmed:
                raise DeepReorganisation(
                    f"block {block.number} with {len(block.events)} confirmed events left the chain: "
                    "decide which events still hold, ask for more confirmations, and start the listener with "
                    "an empty store"
                )
        changes = {
            "next_seen": next_block,
            "next_confirmed": min(self.next_confirmed, next_block),
            "blocks": tuple(block for block in self.blocks if block.number < next_block),
        }
        vanished = [event for block in reversed(gone) for event in reversed(block.events)]
        return self.model_copy(update=changes), [
            event.model_copy(update={"removed": True}) for event in vanished
        ]

    def _after_ancestor(self, chain: Mapping[int, bytes]) -> int:
        """The first block that is no longer in the chain."""
        for block in reversed(self.blocks):
            if chain.get(block.number) == block.hash:
                return block.number + 1
        if self.blocks[0].number == self.first:
            return self.first  # the contract's own block was replaced: begin again, nothing older matters
        raise DeepReorganisation(
            f"none of the blocks {self.blocks[0].number} to {self.next_seen - 1} is in the chain: check that "
            "the node is the right one, then decide which events still hold and start the listener with "
            "an empty store"
        )
