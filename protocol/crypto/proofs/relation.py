"""The Σ-protocol under both proofs: ciphertexts that are sums of others with committed coefficients.

Statement. Sets s of inputs, each k − 1 ciphertexts B_s,j and a public number L_s; an output Y_s for each set;
the prover's base h; a commitment K.

Relation. Integers x_1 … x_k, κ and a_s with Y_s = Π_{j<k} B_s,j^(x_j)·(1+n)^(L_s·x_k)·h^(n·a_s) mod n² for
every set, and K = Π_j g_j^(x_j)·g_0^κ mod N̂: the same x in all of them.

Protocol. Masks α as wide as `bounds` says; the announcements A_s and A are the same products of α in place of
x, κ and a_s. A challenge e < 2^128, hashed from everything, is answered by z = α + e·(x, κ, a). The verifier
checks the bounds of z, and that the products of z are A_s·Y_s^e and A·K^e. It forms h^n itself: over a base
that is given in its place, and holds a plaintext, any output would pass.

Extraction. Two answers to one announcement under e ≠ e′ give Δz with K^Δe = Π g_j^(Δz_j)·g_0^Δκ. Δe divides
every Δz, or the prover takes roots modulo N̂: so x = Δz/Δe opens K, or −K. Then Y_s/(Π B_s,j^(x_j)·…) to the
power Δe is an n-th power and has the plaintext 0; all prime factors of n are above 2^128 > |Δe|, so without
that power it is 0 too. Therefore the *plaintext* of Y_s is Σ x_j·(that of B_s,j) + L_s·x_k modulo n. Nothing
is shown about its randomness, and a factor of small order, as −1 is, passes: it changes no plaintext.

Zero knowledge. From z and e the announcements follow, and z is uniform up to 2^-64 a number: whoever chooses
e first needs no witness.

Assumption. Roots modulo N̂, which is RSA-2048, are hard to take; keccak256 is a random oracle; the key has
passed `validation.verify_public_key`; short exponents over h^n hide as uniform n-th powers do (`blinding`).

Many proofs over the same inputs are checked in one equation, each under weights of 128 bits (M. Bellare,
J. Garay, T. Rabin, Eurocrypt '98). Whoever knows the factors of n knows units of small order r, and a proof
with one of them in an announcement or output passes where r divides what it is raised to. It changes no
plaintext, but honest verifiers must agree about it: weights are hashed from all that is checked together, in
whatever order, so that the verdict on a list of claims follows from the list. They are even: −1, of an order
that everybody knows, passes always. Who grinds, changing its claim until the hash suits, gets a unit of order
r through after some r tries, which is worth nothing, and an error in a plaintext after some 2^127, about as
many as it takes to grind a challenge.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from gmpy2 import mpz

from protocol.crypto.blinding import blinding_power, blinding_powers
from protocol.crypto.commitment_group import ELEMENT_BYTES
from protocol.crypto.commitments import VectorCommitments
from protocol.crypto.elements import require_units
from protocol.crypto.linear import Combination, combined
from protocol.crypto.native.batch import rows_of_powers
from protocol.crypto.native.in_use import kernel_for
from protocol.crypto.paillier import PublicKey
from protocol.crypto.powers import PowerTables, fitting_tables, product_of_powers, tables_of_inputs
from protocol.crypto.proofs.bounds import WitnessBounds, require_responses
from protocol.crypto.proofs.transcript import ciphertext_bytes, integer_bytes
from protocol.crypto.randomness import Randomness
from protocol.crypto.secrets import OneUse
from protocol.errors import ProtocolViolation
from protocol.types import digest_of

BAD_PROOF = "bad_proof"
_WEIGHT_BITS = 128
_WEIGHTS = b"deltaml weights"
_WINDOW = 5


class Inputs(Protocol):
    """One set of k inputs, however their products of powers are computed."""

    @property
    def key(self) -> PublicKey:
        """Under which they are encrypted."""

    @property
    def size(self) -> int:
        """The number k of them."""

    def to_parts(self) -> Sequence[bytes]:
        """What a challenge is hashed from: whatever the products depend on."""

    def combine(self, values: Sequence[int]) -> mpz:
        """Π B_j^(x_j)·(1+n)^(L·x_k) mod n² for k integers: a ciphertext of the sum, unblinded."""

    def combination(self, values: Sequence[int]) -> Combination:
        """The same, to be multiplied together with others."""


@dataclass(frozen=True)
class InputSet:
    """Encrypted inputs and, as the last one, a public number, as they are."""

    key: PublicKey
    ciphertexts: tuple[mpz, ...] = field(repr=False)
    last: int

    @property
    def size(self) -> int:
        """The number k of them."""
        return len(self.ciphertexts) + 1

    @cached_property
    def _tables(self) -> PowerTables:
        return tables_of_inputs(self.ciphertexts, self.key.n_squared, _WINDOW)

    def to_parts(self) -> tuple[bytes, bytes]:
        """What a challenge is hashed from."""
        return ciphertext_bytes(self.key, self.ciphertexts), integer_bytes(self.last)

    def combine(self, values: Sequence[int]) -> mpz:
        """Π B_j^(x_j)·(1+n)^(L·x_k) mod n² for k integers: a ciphertext of the sum, unblinded."""
        return combined(self.key, [self.combination(values)])

    def combine_all(self, rows: Sequence[Sequence[int]]) -> list[mpz]:
        """`combine` of several rows of k integers."""
        modulus = self.key.n_squared
        if kernel_for(modulus, len(rows)) is None:
            return [self.combine(row) for row in rows]
        products = rows_of_powers(self.ciphertexts, [row[:-1] for row in rows], modulus)
        lifted = (self.key.lift(self.last * row[-1]) for row in rows)
        return [product * plain % modulus for product, plain in zip(products, lifted, strict=True)]

    def combination(self, values: Sequence[int]) -> Combination:
        """The same, to be multiplied together with others."""
        *coefficients, last = values
        return Combination(self._tables, coefficients, self.last * last)


@dataclass(frozen=True, slots=True)
class Proof:
    """Announcements of the sets and of the commitment; responses to x, κ and the a_s, in this order."""

    announcements: tuple[mpz, ...] = field(repr=False)
    commitment: mpz
    responses: tuple[int, ...]

    def require(self, key: PublicKey, bounds: WitnessBounds, sets: int) -> None:
        """Raise ProtocolViolation("bad_proof") unless every number is of its group or within its bound."""
        require_units(self.announcements, sets, key.n, BAD_PROOF, "announcement", key.n_squared)
        require_units((self.commitment,), 1, bounds.group.modulus, BAD_PROOF, "announced commitment")
        require_responses(self.responses, bounds.all(sets), BAD_PROOF)

    def write(self, key: PublicKey, bounds: WitnessBounds) -> list[bytes]:
        """Bytes for the wire, of lengths that do not depend on the numbers."""
        lengths = [bound.length for bound in bounds.all(len(self.announcements))]
        return [
            *(int(one).to_bytes(key.ciphertext_length, "big") for one in self.announcements),
            int(self.commitment).to_bytes(ELEMENT_BYTES, "big"),
            *(
                int(response).to_bytes(length, "big", signed=True)
                for response, length in zip(self.responses, lengths, strict=True)
            ),
        ]


def read_proof(key: PublicKey, bounds: WitnessBounds, sets: int, blobs: Sequence[object]) -> Proof:
    """The proof of so many sets from `Proof.write`, every number checked; a proof has one such form.

    Raises ProtocolViolation("bad_proof") for anything else.
    """
    lengths = [
        *(key.ciphertext_length,) * sets,
        ELEMENT_BYTES,
        *(bound.length for bound in bounds.all(sets)),
    ]
    if len(blobs) != len(lengths):
        raise ProtocolViolation(BAD_PROOF, f"{len(blobs)} numbers; {len(lengths)} expected")
    contents: list[bytes] = []
    for blob, length in zip(blobs, lengths, strict=True):
        if not isinstance(blob, bytes) or len(blob) != length:
            raise ProtocolViolation(BAD_PROOF, f"a number that has not {length} bytes")
        contents.append(blob)
    elements = [mpz(int.from_bytes(content, "big")) for content in contents[: sets + 1]]
    responses = tuple(int.from_bytes(content, "big", signed=True) for content in contents[sets + 1 :])
    proof = Proof(tuple(elements[:sets]), elements[sets], responses)
    proof.require(key, bounds, sets)
    return proof


def draw_masks(bounds: WitnessBounds, sets: int, randomness: Randomness) -> OneUse[tuple[int, ...]]:
    """What hides the witness of one proof: under a second challenge it would show it."""
    return OneUse(tuple(bound.draw_mask(randomness) for bound in bounds.all(sets)))


def prove(
    inputs: Sequence[Inputs],
    vectors: VectorCommitments,
    base: mpz,
    witness: Sequence[int],
    masks: OneUse[tuple[int, ...]],
    challenge: Callable[[tuple[mpz, ...], mpz], int],
) -> Proof:
    """Announce, have the challenge hashed from the announcements, answer.

    `witness` are the x, κ and the a_s, in this order, as `draw_masks` draws the masks.
    """
    drawn, size = masks.take(), vectors.length
    key, blinding = inputs[0].key, blinding_powers(inputs[0].key, base)
    announcements = tuple(
        one.combine(drawn[:size]) * power % key.n_squared
        for one, power in zip(inputs, blinding.powers(drawn[size + 1 :]), strict=True)
    )
    commitment = vectors.commit(drawn[:size], drawn[size])
    asked = challenge(announcements, commitment)
    responses = tuple(mask + asked * value for mask, value in zip(drawn, witness, strict=True))
    return Proof(announcements, commitment, responses)


@dataclass(frozen=True, slots=True)
class Claim:
    """One prover's outputs, commitment and base h, a proof whose numbers were checked, and its challenge."""

    outputs: tuple[mpz, ...] = field(repr=False)
    committed: mpz
    base: mpz
    proof: Proof
    challenge: int

    def digest(self) -> bytes:
        """Of all of it; the challenge stands for the statement."""
        proof = self.proof
        lists = (
            self.outputs,
            (self.committed, self.base, self.challenge),
            (*proof.announcements, proof.commitment),
            proof.responses,
        )
        return digest_of(*(digest_of(*map(integer_bytes, numbers)) for numbers in lists))


def unproven(
    inputs: Sequence[Inputs],
    vectors: VectorCommitments,
    claims: Mapping[str, Callable[[], Claim]],
) -> list[str]:
    """The provers whose claims do not hold, first those that raise ProtocolViolation instead of claiming.

    The others are checked at once, and one by one where that fails. Whoever checks the same claims names the
    same provers.
    """
    malformed, checked = [], dict[str, Claim]()
    for prover, claim in claims.items():
        try:
            checked[prover] = claim()
        except ProtocolViolation:
            malformed.append(prover)
    if not checked or holds(inputs, vectors, list(checked.values())):
        return malformed
    alone = (prover for prover, one in checked.items() if not holds(inputs, vectors, [one]))
    return [*malformed, *alone]


def holds(inputs: Sequence[Inputs], vectors: VectorCommitments, claims: Sequence[Claim]) -> bool:
    """Whether all of the claims hold, up to 2^-127: one equation modulo n² and one modulo N̂."""
    key = inputs[0].key
    powers = [blinding_power(key, one.base) for one in claims]
    return equations_hold(inputs, vectors, claims, powers, claim_weights(inputs, claims))


def claim_weights(inputs: Sequence[Inputs], claims: Sequence[Claim]) -> list[list[int]]:
    """The even coefficients of each claim: of its sets, then of its commitment.

    Hashed from inputs and claims, the same in whatever order these are. In either equation the first one may
    be 2, of the claim with the least digest: that alone is wrong in vain, and with others it would have to
    hit theirs. So the exponents of a single claim about a single set are as long as its responses.
    """
    digests = [claim.digest() for claim in claims]
    parts = [part for one in inputs for part in one.to_parts()]
    whole = digest_of(_WEIGHTS, inputs[0].key.to_bytes(), digest_of(*parts), *sorted(digests))
    streams = [Randomness(digest_of(_WEIGHTS, whole, digest)) for digest in digests]
    weights = [[2 * stream.bits(_WEIGHT_BITS) for _ in range(len(inputs) + 1)] for stream in streams]
    first = weights[digests.index(min(digests))]
    first[0] = first[-1] = 2
    return weights


def equations_hold(
    inputs: Sequence[Inputs],
    vectors: VectorCommitments,
    claims: Sequence[Claim],
    powers: Sequence[mpz],
    weights: Sequence[Sequence[int]],
) -> bool:
    """The verifier's two equations; of the first, all factors on one side, in one chain of squarings.

    `powers` are each prover's h^n, of which one power each does not pay for tables; `weights` the
    coefficients of each claim: of its sets, then of its commitment.
    """
    key, size = inputs[0].key, vectors.length
    bases, exponents = list[mpz](), list[int]()
    parts = [one.combination(_weighted(claims, weights, at, size)) for at, one in enumerate(inputs)]
    for claim, power, weight in zip(claims, powers, weights, strict=True):
        blinding = sum(a * b for a, b in zip(weight, claim.proof.responses[size + 1 :], strict=False))
        bases += [power, *claim.proof.announcements, *claim.outputs]
        exponents += [blinding, *(-one for one in weight[:-1])]
        exponents += [-claim.challenge * one for one in weight[:-1]]
    parts += [Combination(*one, 0) for one in fitting_tables(bases, exponents, key.n_squared)]
    if combined(key, parts) != 1:
        return False
    *values, hiding = _weighted(claims, weights, len(inputs), size + 1)
    bases = [element for claim in claims for element in (claim.proof.commitment, claim.committed)]
    exponents = [
        factor
        for claim, weight in zip(claims, weights, strict=True)
        for factor in (weight[-1], claim.challenge * weight[-1])
    ]
    return bool(vectors.commit(values, hiding) == product_of_powers(bases, exponents, vectors.group.modulus))


def _weighted(claims: Sequence[Claim], weights: Sequence[Sequence[int]], place: int, size: int) -> list[int]:
    """The first `size` responses of all claims, added under their weights at a place."""
    rows = [claim.proof.responses[:size] for claim in claims]
    factors = [weight[place] for weight in weights]
    return [sum(a * b for a, b in zip(factors, column, strict=True)) for column in zip(*rows, strict=True)]
