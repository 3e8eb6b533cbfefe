"""Every party's transcript of a demo's training, in a folder, for `deltaml verify`."""

from pathlib import Path

from protocol.verification.transcript import Header, Transcript, to_bytes
from services.common.files import write_private
from services.participants.assembly import Participant
from services.records.transcripts import kept_entries
from services.sandbox.local_market import LocalMarket


def write_transcripts(folder: Path, market: LocalMarket, training: int) -> list[Path]:
    """One file for each party that took part, named by its role and address; returns their paths.

    The folder exists. Each file is sealed with its party's key, and whoever runs a demo is all its parties.
    """
    paths = []
    for party in market.parties:
        if (key := party.store.key_of(training)) is not None and party.store.transcript(key):
            path = folder / f"{party.runtime.role.name}-{party.identity.address[2:10]}.transcript"
            write_private(path, to_bytes(_sealed(market, party, training, key)))
            paths.append(path)
    return paths


def _sealed(market: LocalMarket, party: Participant, training: int, key: str) -> Transcript:
    place = market.deployment.market
    instance = party.store.instance(key)
    assert instance is not None  # `key_of` named it
    header = Header(
        chain_id=place.chain_id,
        contract=place.contract,
        training=training,
        role=party.runtime.role.name,
        party=party.identity.address,
    )
    entries = kept_entries(party.store, instance, place.chain_id)
    return Transcript.sealed(header, entries, party.identity.signing_key)
