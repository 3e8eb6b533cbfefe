"""Everybody commits before anything is shown, and shows what it committed to."""

import pytest

from protocol.crypto.paillier import PublicKey
from protocol.crypto.ring.commitments import (
    Commitments,
    OwnNonce,
    RingCommitment,
    commit,
    nonce_digest,
    statement_digest,
)
from protocol.crypto.ring.context import Maker, Purpose
from protocol.crypto.ring.shares import ShareForm
from protocol.crypto.secrets import OneUse
from protocol.errors import MisuseError, ProtocolViolation
from tests.support.ring import CHECKERS, STREAM, ring_context, secret, workshop_of

FORM = ShareForm(60, ((1 << 50, 1 << 50),))


class Committing:
    """Three makers about to commit, in a ring with nonces or without."""

    def __init__(self, key: PublicKey, purpose: Purpose = Purpose.NEXT_MODEL) -> None:
        self.key, self.context = key, ring_context(key, purpose)
        self.workshop = workshop_of(key, FORM, self.context)
        self.own = {maker: self.workshop.make(maker, secret()) for maker in Maker}
        drawn = CHECKERS if purpose.is_drawn else ()
        self.nonces = {maker: OwnNonce(self.context, maker, secret()) for maker in drawn}
        statement = statement_digest(key, [key.lift(5)])
        self.signed = {m: commit(key, statement, self.own[m], self.nonces.get(m)) for m in Maker}

    def collect(self) -> Commitments:
        return Commitments.collect(self.context, Maker.FIRST_CHECKER, self.signed)


def test_all_draw_the_same_from_all_nonces(key: PublicKey) -> None:
    ring = Committing(key)
    shown = {m: ring.collect().show_nonce(m, ring.nonces[m]) for m in CHECKERS}
    drawn = [Commitments.collect(ring.context, maker, ring.signed).chance(shown).bytes(64) for maker in Maker]
    assert len(set(drawn)) == 1


def test_whatever_is_committed_to_changes_what_is_drawn(key: PublicKey) -> None:
    """Each nonce, the statement and each share: nobody can vary one and keep the vectors."""
    ring, seen = Committing(key), set()
    shown = {m: ring.collect().show_nonce(m, ring.nonces[m]) for m in CHECKERS}
    for maker in Maker:
        for name in ("statement", "share", "nonce"):
            nonces = dict(shown)
            changed = list(ring.collect().all)
            value = STREAM.bytes(32)
            if name == "nonce" and maker.is_checker:
                nonces[maker] = value
                value = nonce_digest(ring.context, maker, value)
            elif name == "nonce":
                continue
            changed[maker] = changed[maker]._replace(**{name: value})
            seen.add(Commitments(ring.context, tuple(changed)).chance(nonces).bytes(32))
    assert len(seen) == 8


@pytest.mark.parametrize("wrong", [None, b"", bytes(31), bytes(32), 5])
@pytest.mark.parametrize("maker", CHECKERS)
def test_another_nonce_is_refused(key: PublicKey, maker: Maker, wrong: object) -> None:
    ring = Committing(key)
    shown: dict[Maker, object] = {m: ring.collect().show_nonce(m, ring.nonces[m]) for m in CHECKERS}
    shown[maker] = wrong
    with pytest.raises(ProtocolViolation) as refusal:
        ring.collect().chance(shown)
    assert str(refusal.value) == f"bad_nonce: the {maker.label}'s nonce is not the one committed to"


def test_a_copied_commitment_opens_to_nothing(key: PublicKey) -> None:
    """The second checker copies the first's digest and then its nonce."""
    ring = Committing(key)
    first, second = CHECKERS
    ring.signed[second] = ring.signed[second]._replace(nonce=ring.signed[first].nonce)
    commitments = ring.collect()
    nonce = commitments.show_nonce(first, ring.nonces[first])
    with pytest.raises(ProtocolViolation, match="bad_nonce: the second checker's nonce"):
        commitments.chance({first: nonce, second: nonce})


@pytest.mark.parametrize("maker", Maker)
def test_a_malformed_or_missing_commitment_is_refused(key: PublicKey, maker: Maker) -> None:
    ring = Committing(key)
    good = ring.signed[maker]
    for wrong in (
        good._replace(statement=b""),
        good._replace(share=bytes(31)),
        good._replace(nonce=b"x" * (33 if maker.is_checker else 32)),
        good._replace(share="x" * 32),  # type: ignore[arg-type]
    ):
        ring.signed[maker] = wrong
        with pytest.raises(ProtocolViolation) as refusal:
            ring.collect()
        assert str(refusal.value) == f"bad_ring_commitment: the {maker.label}'s has parts of a wrong length"
    del ring.signed[maker]
    with pytest.raises(ProtocolViolation, match=f"bad_ring_commitment: the {maker.label}'s is missing"):
        ring.collect()


def test_who_would_open_something_else_is_refused(key: PublicKey) -> None:
    ring = Committing(key)
    other = RingCommitment(bytes(32), *ring.signed[Maker.AGGREGATOR][1:])
    ring.signed[Maker.AGGREGATOR] = other
    with pytest.raises(ProtocolViolation) as refusal:
        ring.collect()
    assert str(refusal.value) == "bad_ring_commitment: the aggregator would open something else"


def test_noise_has_no_nonces(key: PublicKey) -> None:
    ring = Committing(key, Purpose.METRIC)
    assert [one.nonce for one in ring.collect().all] == [b"", b"", b""]
    nonce = OwnNonce(ring.context, Maker.FIRST_CHECKER, secret())
    for own, extra in (
        (ring.own[Maker.FIRST_CHECKER], nonce),
        (Committing(key).own[Maker.FIRST_CHECKER], None),
        (Committing(key).own[Maker.AGGREGATOR], nonce),
    ):
        with pytest.raises(MisuseError, match="checkers commit to a nonce where vectors are drawn"):
            commit(key, bytes(32), own, extra)


def test_a_seed_is_shown_once_and_only_that_of_the_share_committed_to(key: PublicKey) -> None:
    ring, other = Committing(key), Committing(key)
    commitments = ring.collect()
    for own in (other.own[Maker.FIRST_CHECKER], Committing(key, Purpose.RANGES).own[Maker.AGGREGATOR]):
        with pytest.raises(MisuseError, match="this share is not committed to; show the one whose digest"):
            commitments.show_seed(key, own)
    for maker in Maker:
        seed = commitments.show_seed(key, ring.own[maker])
        share = ring.own[maker].share
        assert ring.workshop.again(maker, share.ciphertexts, seed) == share
        with pytest.raises(MisuseError, match="used already"):
            commitments.show_seed(key, ring.own[maker])


def test_a_nonce_is_of_32_bytes_and_unseen(key: PublicKey) -> None:
    context, content = ring_context(key), STREAM.bytes(32)
    with pytest.raises(MisuseError, match="a nonce must have 32 bytes"):
        OwnNonce(context, Maker.FIRST_CHECKER, OneUse(b"short"))
    nonce = OwnNonce(context, Maker.FIRST_CHECKER, OneUse(content))
    assert repr(content) not in repr(nonce) + repr(nonce.secret)
    assert content.hex() not in repr(nonce)


def test_statements_differ_by_every_ciphertext_and_group(key: PublicKey) -> None:
    a, b = key.lift(1), key.lift(2)
    seen = [
        statement_digest(key, *groups) for groups in ([[a, b]], [[b, a]], [[a], [b]], [[a]], [[a, b], []])
    ]
    assert len(set(seen)) == len(seen)
