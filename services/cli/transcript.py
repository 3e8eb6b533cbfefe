"""`deltaml transcript`: what a daemon keeps of a training, sealed with its key, to be verified anywhere."""

from pathlib import Path
from typing import Annotated

import typer

from protocol.marketplace import PartyRole
from protocol.verification.transcript import Header, Transcript, to_bytes
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
from services.identity.keystore import Keystore
from services.records.stored_trainings import find_instance
from services.records.transcripts import kept_entries


def transcript(
    training: TrainingNumber,
    config: ConfigFile,
    out: Annotated[Path, typer.Option("--out", help="Write it to this file, which only its owner can read.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    json: Json = False,
) -> None:
    """Write what this daemon keeps of a training, hash-chained and sealed with its key.

    Of a validator or an aggregator it shows how requests to the buyer were masked: never give the buyer one.
    """
    require_new(out, force=force)
    settings = load(config)
    if isinstance(settings, ChainListenerConfig):
        raise ConfigurationError(f"{config} is a chain listener's, which takes part in no training")
    identity = Keystore.open(settings.keystore, read_passphrase(settings.passphrase_file)).identity
    market = settings.chain.market
    with existing_store(None, config) as store:
        instance = find_instance(store, str(training))
        entries = kept_entries(store, instance, market.chain_id)
    header = Header(
        chain_id=market.chain_id,
        contract=market.contract,
        training=training,
        role=role_of(settings),
        party=identity.address,
    )
    write_private(out, to_bytes(Transcript.sealed(header, entries, identity.signing_key)))
    print_outcome({"transcript": str(out), "training": training, "entries": len(entries)}, json=json)


def role_of(settings: ModelBuyerConfig | DataOwnerConfig | AggregatorConfig) -> PartyRole:
    """The role of a daemon's settings."""
    match settings:
        case ModelBuyerConfig():
            return "model_buyer"
        case DataOwnerConfig():
            return "data_owner"
        case AggregatorConfig():
            return "federated_aggregator"
