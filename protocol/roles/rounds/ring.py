"""A ring of three shares as a maker lives through it: commitments, nonces, shares, one product.

Aggregator and checkers keep a `RingState` in their own states for each ring that they take part in, and hand
it every message of the ring, with a `RingView` of what they know besides. A message that comes again changes
nothing and has nothing sent; another one of its kind from the same maker is refused: whoever could commit,
or show a nonce, twice would choose after the others.
"""

from collections.abc import Sequence

from protocol.crypto.cipher import Ciphertext, read_ciphertexts, write_ciphertexts
from protocol.crypto.randomness import SEED_BYTES, Randomness
from protocol.crypto.ring.commitments import OwnNonce, commit, nonce_digest
from protocol.crypto.ring.context import Maker
from protocol.crypto.ring.product import RingProduct
from protocol.crypto.ring.shares import BAD_SHARE, OwnShare, Share, share_digest
from protocol.crypto.secrets import OneUse
from protocol.messages.rounds import RingCommitted, RingConsent, RingNonce, RingShared
from protocol.roles.engine.context import Context, message
from protocol.roles.engine.effects import Effect, SendMessage
from protocol.roles.engine.inputs import Received
from protocol.roles.engine.refusals import EarlyInput, StaleInput, require
from protocol.roles.engine.state import replace, store
from protocol.roles.rounds.labels import Label
from protocol.roles.rounds.ring_state import RingState, RingStep, RingView, SharedNumbers, with_entry


def ring_begin(view: RingView, statement: bytes, context: Context) -> RingStep:
    """Draw a seed and, where one is needed, a nonce; commit to both and to what is to be opened."""
    purpose = view.context.purpose
    seed = context.randomness(Label.SHARE_SEED.about(purpose)).bytes(SEED_BYTES)
    kept_seed, seed_blob = store(seed)
    effects: list[Effect] = [seed_blob]
    kept_nonce, own_nonce = None, None
    if view.context.needs_nonce(view.own):
        nonce = context.randomness(Label.RING_NONCE.about(purpose)).bytes(SEED_BYTES)
        kept_nonce, nonce_blob = store(nonce)
        effects.append(nonce_blob)
        own_nonce = OwnNonce(view.context, view.own, OneUse(nonce))
    own = view.workshop.make(view.own, OneUse(seed))
    digests = commit(view.key, statement, own, own_nonce)
    body = RingCommitted(
        purpose=purpose.value, statement=digests.statement, share=digests.share, nonce=digests.nonce
    )
    kept_share, share_blob = store(
        SharedNumbers(numbers=tuple(write_ciphertexts(view.key, own.share.ciphertexts)))
    )
    at = view.context.occasion
    ring = RingState(
        purpose=purpose.value,
        round=at.round,
        attempt=at.attempt,
        statement=statement,
        seed=kept_seed,
        nonce=kept_nonce,
        committed=with_entry((None, None, None), view.own, body),
        shares=with_entry((None, None, None), view.own, kept_share),
    )
    return RingStep(ring, (*effects, share_blob, *_to_others(ring, view, body, context)))


def on_committed(
    ring: RingState, view: RingView, received: Received[RingCommitted], context: Context
) -> RingStep:
    """Note what another maker commits to; after the third, show one's nonce, or else one's share.

    Raises ProtocolViolation: "committed_twice", or "bad_ring_commitment" where it would open something else.
    """
    maker, body = _maker(ring, view, received), received.body
    if ring.committed[maker] is not None:
        require(ring.committed[maker] == body, "committed_twice", f"the {maker.label}")
        return RingStep(ring)
    require(body.statement == ring.statement, "bad_ring_commitment", "of something else")
    length = SEED_BYTES if view.context.needs_nonce(maker) else 0
    require(len(body.nonce) == length, "bad_ring_commitment", f"a nonce's digest of {len(body.nonce)} bytes")
    after = replace(ring, committed=with_entry(ring.committed, maker, body))
    if maker is Maker.AGGREGATOR:
        told, blob = store(received.signed)
        step = _committed(replace(after, told=told), view, context)
        return RingStep(step.ring, (blob, *step.effects))
    return _committed(after, view, context)


def on_nonce(ring: RingState, view: RingView, received: Received[RingNonce], context: Context) -> RingStep:
    """Note a checker's nonce; with both of them show one's share.

    Raises EarlyInput before all have committed, ProtocolViolation: "nonce_twice", or "bad_nonce" for one that
    was not committed to.
    """
    maker, nonce = _maker(ring, view, received), received.body.nonce
    if not ring.is_committed:
        raise EarlyInput
    require(view.context.needs_nonce(maker), "bad_nonce", f"the {maker.label} has none")
    if ring.nonces[maker] is not None:
        require(ring.nonces[maker] == nonce, "nonce_twice", f"the {maker.label}")
        return RingStep(ring)
    digest = ring.commitments(view).all[maker].nonce
    fits = nonce_digest(view.context, maker, nonce) == digest
    require(fits, "bad_nonce", f"the {maker.label}'s is not the one committed to")
    after = replace(ring, nonces=with_entry(ring.nonces, maker, nonce))
    return _show_share(after, view, context) if after.has_chance(view) else RingStep(after)


def on_shared(ring: RingState, view: RingView, received: Received[RingShared], context: Context) -> RingStep:
    """Note another maker's share; of the one before, only if its seed makes it again.

    Where it does not, or no seed is shown, the ring is refused, and a checker shows the aggregator what it
    was sent: nothing is opened. Raises EarlyInput before everybody may show its share, ProtocolViolation:
    "shared_twice", or "bad_share" for ciphertexts that were not committed to.
    """
    maker, body = _maker(ring, view, received), received.body
    if not ring.has_chance(view):
        raise EarlyInput
    kept, blob = store(SharedNumbers(numbers=body.share))
    if ring.shares[maker] is not None:
        require(ring.shares[maker] == kept, "shared_twice", f"the {maker.label}")
        return RingStep(ring)
    ciphertexts = tuple(read_ciphertexts(view.key, body.share, len(view.form.bounds)))
    digest = share_digest(view.key, maker, ciphertexts, len(ciphertexts))
    committed = ring.commitments(view).all[maker].share
    require(digest == committed, BAD_SHARE, f"the {maker.label}'s is not the one committed to")
    after = replace(ring, shares=with_entry(ring.shares, maker, kept))
    if maker is not view.previous:
        return RingStep(after, (blob,))
    step = _made_again(after, view, ciphertexts, received, context)
    return RingStep(step.ring, (blob, *step.effects))


def chance(ring: RingState, view: RingView) -> Randomness:
    """What is drawn from all commitments and nonces; raises EarlyInput before they are there."""
    if not ring.has_chance(view):
        raise EarlyInput
    return ring.commitments(view).chance({maker: ring.nonces[maker] for maker in Maker})


def product(ring: RingState, view: RingView, opened: Sequence[Ciphertext], context: Context) -> RingProduct:
    """What is opened, unblinded, times the three shares.

    Raises EarlyInput before all are there, ProtocolViolation("share_refused") where one was refused.
    """
    require(not ring.refused, "share_refused", "the share before one's own is not what its seed makes")
    if not ring.is_complete:
        raise EarlyInput
    shares = {maker: tuple(one) for maker, one in zip(Maker, shares_of(ring, view, context), strict=True)}
    return RingProduct.form(view.key, ring.commitments(view), opened, shares)


def digest_to_sign(ring: RingState, view: RingView, made: RingProduct, context: Context) -> bytes:
    """The product's, for a maker that has made the share before its own again, and for no other."""
    return made.digest_to_sign(_own_share(ring, view, context), _shown_share(ring, view, context))


def known_shares(ring: RingState, view: RingView, context: Context) -> tuple[Share, Share]:
    """The two that this maker knows, with their plaintexts: its own, and that of the maker before it.

    Raises EarlyInput before that one was made again.
    """
    return _own_share(ring, view, context).share, _shown_share(ring, view, context)


def shares_of(ring: RingState, view: RingView, context: Context) -> list[list[Ciphertext]]:
    """The three shares' ciphertexts, in the order of makers; raises EarlyInput before all are there."""
    return [_kept_share(ring, view, maker, context) for maker in Maker]


# ---- steps ----


def _committed(ring: RingState, view: RingView, context: Context) -> RingStep:
    if not ring.is_committed:
        return RingStep(ring)
    if view.context.purpose.is_drawn:
        return _show_nonce(ring, view, context)
    return _show_share(ring, view, context)


def _own_share(ring: RingState, view: RingView, context: Context) -> OwnShare:
    seed = ring.seed.raw(context)
    share = view.workshop.kept(view.own, _kept_share(ring, view, view.own, context), seed)
    return OwnShare(view.context, share, OneUse(seed))


def _shown_share(ring: RingState, view: RingView, context: Context) -> Share:
    if ring.shown is None:
        raise EarlyInput
    ciphertexts = _kept_share(ring, view, view.previous, context)
    return view.workshop.kept(view.previous, ciphertexts, ring.shown.raw(context))


def _kept_share(ring: RingState, view: RingView, maker: Maker, context: Context) -> list[Ciphertext]:
    kept = ring.shares[maker]
    if kept is None:
        raise EarlyInput
    numbers = kept.load(SharedNumbers, context).numbers
    return read_ciphertexts(view.key, numbers, len(numbers))


def _maker(
    ring: RingState, view: RingView, received: Received[RingCommitted | RingNonce | RingShared]
) -> Maker:
    """Who sent it; raises ProtocolViolation("not_a_maker"), and as for any message of another attempt."""
    if received.at != ring.at:
        raise StaleInput if received.at < ring.at else EarlyInput
    require(received.body.purpose == ring.purpose, "wrong_purpose", received.body.purpose)
    return view.maker_of(received.sender)


def _show_nonce(ring: RingState, view: RingView, context: Context) -> RingStep:
    if ring.nonce is None:
        return RingStep(ring)
    nonce = ring.nonce.raw(context)
    body = RingNonce(purpose=ring.purpose, nonce=nonce)
    after = replace(ring, nonces=with_entry(ring.nonces, view.own, nonce))
    return RingStep(after, _to_others(after, view, body, context))


def _show_share(ring: RingState, view: RingView, context: Context) -> RingStep:
    """One's share goes to both others, its seed to the next one alone."""
    own = _own_share(ring, view, context)
    numbers = tuple(write_ciphertexts(view.key, own.share.ciphertexts))
    shown = ring.commitments(view).show_seed(view.key, own)
    sent = [
        _send(
            ring,
            view,
            maker,
            RingShared(purpose=ring.purpose, share=numbers, seed=shown if maker is view.own.next else None),
            context,
        )
        for maker in view.others()
    ]
    return RingStep(ring, tuple(sent))


def _made_again(
    ring: RingState,
    view: RingView,
    ciphertexts: Sequence[Ciphertext],
    received: Received[RingShared],
    context: Context,
) -> RingStep:
    seed = received.body.seed
    if view.workshop.at_fault(view.previous, ciphertexts, seed) is view.previous:
        refusal = RingConsent(purpose=ring.purpose, refused=True, shown=received.signed)
        told = (_send(ring, view, Maker.AGGREGATOR, refusal, context),) if view.own.is_checker else ()
        return RingStep(replace(ring, refused=True), told)
    assert seed is not None  # nothing else makes a share
    kept, blob = store(seed)
    return RingStep(replace(ring, shown=kept), (blob,))


def _to_others(
    ring: RingState, view: RingView, body: RingCommitted | RingNonce, context: Context
) -> tuple[SendMessage, ...]:
    return tuple(_send(ring, view, maker, body, context) for maker in view.others())


def _send(
    ring: RingState,
    view: RingView,
    maker: Maker,
    body: RingCommitted | RingNonce | RingShared | RingConsent,
    context: Context,
) -> SendMessage:
    return message(context, view.context.parties[maker], body, ring.at, label=ring.purpose)
