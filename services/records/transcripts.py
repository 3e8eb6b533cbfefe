"""A training's transcript out of a daemon's store: what its steps kept, and what the chain credited."""

from protocol.codec import unpack
from protocol.errors import ProtocolViolation
from protocol.marketplace import Credited
from protocol.messages import ChainEvent
from protocol.verification.links import require_links
from protocol.verification.transcript import Entry
from services.common.errors import ConfigurationError
from services.records.chain_facts import record_key
from services.store import InstanceRow, Store


def kept_entries(store: Store, instance: InstanceRow, chain_id: int) -> list[Entry]:
    """What the daemon's steps kept, in their order and under their links, then what the chain credited.

    Raises ConfigurationError where nothing was kept (the training's rounds were not checked, or its store was
    restored from a backup of another time), and where an entry is not as it was stored.
    """
    kept = store.transcript(instance.key)
    if not kept:
        raise ConfigurationError(
            f"this store keeps no transcript of training {instance.training}; one is kept of trainings whose "
            "rounds are checked"
        )
    try:
        require_links(kept)
        entries = [unpack(Entry, content) for content, _link in kept]
        noted = {_place(unpack(ChainEvent, one.content)) for one in entries if one.kind == "event"}
    except ProtocolViolation as error:
        raise ConfigurationError(
            f"this store's transcript of training {instance.training} was altered: {error.detail}; restore "
            "the store from a backup"
        ) from None
    credited = _credits(store, instance.training, chain_id)
    return [*entries, *(Entry.event(one) for one in credited if _place(one) not in noted)]


def _place(event: ChainEvent) -> tuple[int, int]:
    return event.block_number, event.log_index


def _credits(store: Store, training: int | None, chain_id: int) -> list[ChainEvent]:
    """What was credited, which no step of a role is about, out of what the daemon noted of the chain."""
    noted = [data for name, data, _at in store.facts(record_key(training)) if name == "Credited"]
    return [
        ChainEvent(
            event=Credited(
                training=int(data["training"]),
                account=data["account"],
                share=data["share"],
                token=data["token"],
                amount=int(data["amount"]),
            ),
            chain_id=chain_id,
            block_number=int(data["block"]),
            block_hash=bytes.fromhex(data["block_hash"][2:]),
            transaction_hash=bytes.fromhex(data["transaction"][2:]),
            log_index=int(data["log"]),
            timestamp=int(data["at"]),
        )
        for data in noted
    ]
