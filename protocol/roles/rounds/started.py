"""What every party keeps of the owners' commitments, once the aggregator has shown them all.

An owner joined with a digest of them that is on the chain: whoever is shown others finds another digest.
"""

from gmpy2 import mpz

from protocol.crypto.cipher import PublicKey
from protocol.crypto.commitments import OwnerCommitments, TrainingIdentity
from protocol.errors import ProtocolViolation, WidthError
from protocol.join_digests import checked_commitment
from protocol.messages.rounds import CheckedStarted
from protocol.messages.rounds.values import CommittedOwner, ShownOwner
from protocol.request import Request
from protocol.ridge_path import committed_rows
from protocol.roles.engine.refusals import require
from protocol.roles.engine.state import replace
from protocol.roles.rounds.widths import checked_widths
from protocol.roles.shared.parties import Parties
from protocol.types import Digest, FrozenModel


class CommittedOwners(FrozenModel):
    """The content of a blob: the owners that take part in a checked training, in seat order."""

    owners: tuple[ShownOwner, ...]

    def of(self, owner: str) -> OwnerCommitments:
        """One owner's; raises ProtocolViolation("nothing_committed") for one that takes no part."""
        for one in self.owners:
            if one.owner == owner:
                return commitments_of(owner, one.committed)
        raise ProtocolViolation("nothing_committed", f"{owner} has shown no commitments")


def commitments_of(owner: str, committed: CommittedOwner) -> OwnerCommitments:
    """As the proofs take them, unchecked."""
    maps = tuple(_element(one) for one in committed.maps)
    return OwnerCommitments(owner, committed.rows, mpz(committed.base), maps, _element(committed.gram))


def require_committed(
    shown: ShownOwner, joined: Digest, identity: TrainingIdentity, key: PublicKey, request: Request
) -> None:
    """Check what an owner shows against the commitment that it has joined with.

    Raises ProtocolViolation: "bad_commitment" for numbers that commit to nothing, "wrong_commitment" for
    others than those on the chain.
    """
    commitments = commitments_of(shown.owner, shown.committed)
    commitments.require(key, identity.group, committed_rows(request.model, request.parameters))
    digest = checked_commitment(shown.card, commitments.digest(identity, key))
    require(digest == joined, "wrong_commitment", f"{shown.owner} joined with another")


def checked_start(
    request: Request, parties: Parties, body: CheckedStarted, identity: TrainingIdentity, key: PublicKey
) -> tuple[Parties, CommittedOwners]:
    """The parties with their rows, and what they have committed to.

    Raises ProtocolViolation: "wrong_roles" where these are not those on the chain, "wrong_rows" for owners
    out of seat order or without a role, "too_few_validators" where too few of them have committed to
    anything, "widths_do_not_fit", and as `require_committed` does.
    """
    require(body.trainers == parties.addresses(parties.trainers), "wrong_roles")
    require(body.validators == parties.addresses(parties.validators), "wrong_roles")
    seats = [parties.seat_of(one.owner) for one in body.owners]
    require(seats == sorted(set(seats)), "wrong_rows", "owners are not in seat order")
    for seat, one in zip(seats, body.owners, strict=True):
        require(parties.drawn >> seat & 1 == 1, "wrong_rows", f"{one.owner} has no role")
        require_committed(one, parties.commitments[seat], identity, key, request)
    shown = parties.mask(tuple(one.owner for one in body.owners))
    enough = (shown & parties.validators).bit_count() >= max(2, parties.quorum)
    require(enough, "too_few_validators", "too few have shown what they committed to")
    started = replace(parties, rows=body.row_counts(parties.seats))
    try:
        checked_widths(request, started)
    except WidthError as error:
        raise ProtocolViolation("widths_do_not_fit", str(error)) from None
    return started, CommittedOwners(owners=body.owners)


def _element(content: bytes) -> mpz:
    return mpz(int.from_bytes(content, "big"))
