"""`deltaml transcript`: what a daemon keeps of a training, sealed with its key, to be verified anywhere."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from protocol.marketplace import PartyRole
from protocol.verification.transcript import Entry, Header, Transcript, to_bytes
from services.cli.options import ConfigFile, Json
from services.cli.orders import TrainingNumber
from services.cli.output import print_outcome
from services.cli.store_option import existing_store
from services.common.errors import ConfigurationError
from services.common.files import read_passphrase, require_new, write_private
from services.config.daemons import (
    AggregatorConfig,
    ChainListenerConfig,
    DataOwnerConfig,
    ModelBuyerConfig,
    load,
)
from services.identity.keys import Identity
from services.identity.keystore import Keystore
from services.records.stored_trainings import find_instance
from services.records.transcripts import kept_entries


@dataclass(frozen=True)
class OwnTranscript:
    """What a daemon's store keeps of a training, and the key to seal it with."""

    header: Header
    entries: list[Entry]
    signing_key: bytes = field(repr=False)


def transcript(
    training: TrainingNumber,
    config: ConfigFile,
    out: Annotated[Path, typer.Option("--out", help="Write it to this file, which only its owner can read.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    json: Json = False,
) -> None:
    """Write what this daemon keeps of a training, hash-chained and sealed with its key.

    Masks and seeds stay in boxes that this daemon's key alone opens. An owner's or an aggregator's has
    encrypted updates in the open, as they were sent: never give the buyer one, who can decrypt them.
    """
    require_new(out, force=force)
    own = own_transcript(config, training)
    write_private(out, to_bytes(Transcript.sealed(own.header, own.entries, own.signing_key)))
    print_outcome({"transcript": str(out), "training": training, "entries": len(own.entries)}, json=json)


def own_transcript(config: Path, training: int) -> OwnTranscript:
    """Out of the store of a daemon, which may be running.

    Raises ConfigurationError for a listener's configuration, a key store that cannot be opened, or a training
    of which nothing is kept.
    """
    settings = load(config)
    if isinstance(settings, ChainListenerConfig):
        raise ConfigurationError(f"{config} is a chain listener's, which takes part in no training")
    identity = _identity(settings)
    market = settings.chain.market
    with existing_store(None, config) as store:
        entries = kept_entries(store, find_instance(store, str(training)), market.chain_id)
    header = Header(
        chain_id=market.chain_id,
        contract=market.contract,
        training=training,
        role=_role_of(settings),
        party=identity.address,
    )
    return OwnTranscript(header, entries, identity.signing_key)


def own_key(config: Path, party: str) -> bytes | None:
    """The signing key of the daemon of this file, where the party is this daemon; else None.

    Raises ConfigurationError for a key store that cannot be opened.
    """
    settings = load(config)
    if isinstance(settings, ChainListenerConfig):
        return None
    identity = _identity(settings)
    return identity.signing_key if identity.address == party else None


def _identity(settings: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig) -> Identity:
    return Keystore.open(settings.keystore, read_passphrase(settings.passphrase_file)).identity


def _role_of(settings: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig) -> PartyRole:
    match settings:
        case ModelBuyerConfig():
            return "model_buyer"
        case DataOwnerConfig():
            return "data_owner"
        case AggregatorConfig():
            return "federated_aggregator"
