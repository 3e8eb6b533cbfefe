"""What an owner can commit to before roles are drawn and before anything encrypted reaches it.

Vector commitments of Fujisaki and Okamoto modulo the number N̂ of a group, which is RSA-2048:
K = Π g_j^(x_j)·g_0^κ mod N̂ for integers x_j, with κ uniform below 2^(2048 + 128). Generators are squares
hashed from the training, so that nobody knows one as a power of others. Binding: whoever opens one K, or K
times −1, in two ways takes roots modulo RSA-2048, some 112 bits of work. Hiding: statistical, up to the index
of ⟨g_0⟩ among the squares; so whoever factors N̂ one day learns the values modulo small divisors of the
group's order at most. I. Damgård, E. Fujisaki, Asiacrypt 2002.

An owner commits to what it would do in either role. As a trainer: K_1 … K_p, to row i of its map M and to v_i
of its offset; of a path of penalties p for each λ. As a validator: K_Ĝ, to the triangle i ≤ j of its Gram
matrix. The digest of all of it, the number of rows and the base of its blinding is made for the chain;
today's join commits to the data card alone (`protocol.join_digests`).
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import gmpy2
from eth_hash.auto import keccak
from gmpy2 import mpz

from protocol.crypto.blinding import PROOF_BITS
from protocol.crypto.commitment_group import ELEMENT_BYTES, RSA_2048, CommitmentGroup
from protocol.crypto.elements import is_integer, is_unit, require_units
from protocol.crypto.paillier import FixedBaseTable, PublicKey
from protocol.crypto.powers import PowerTables
from protocol.crypto.randomness import Randomness
from protocol.errors import MisuseError, ProtocolViolation

LARGEST_ROWS = 1 << 40

_BAD = "bad_commitment"
_ADDRESS = re.compile("0x[0-9a-f]{40}")
_WINDOW = 5


class TrainingIdentity(NamedTuple):
    """Which training of which market, and under which key: what generators and proofs are bound to.

    `group` is the one that its commitments are in.
    """

    chain_id: int
    contract: str
    training: int
    key_id: bytes
    group: CommitmentGroup = RSA_2048

    def require_key(self, key: PublicKey) -> None:
        """Raise MisuseError for another key than the training's."""
        if key.key_id != self.key_id:
            raise MisuseError(
                f"a key with the id 0x{key.key_id.hex()}; the training's is 0x{self.key_id.hex()}"
            )

    def to_bytes(self) -> bytes:
        """Its four words as the contract's language encodes them."""
        numbers = (self.chain_id, int(self.contract, 16), self.training)
        return b"".join(map(_word, numbers)) + self.key_id.rjust(32, b"\0")


class VectorCommitments:
    """Commitments to vectors of one kind and length in one training; `vector_commitments` keeps them."""

    __slots__ = ("_hiding", "_values", "group", "length")

    def __init__(self, identity: TrainingIdentity, kind: str, length: int) -> None:
        """Hash the generators of `length` values and make the tables of their powers."""
        place = identity.to_bytes() + kind.encode() + b"|"
        generators = [identity.group.generator(place + str(index).encode()) for index in range(1, length + 1)]
        self.group, self.length = identity.group, length
        self._values = PowerTables(generators, self.group.modulus, _WINDOW)
        self._hiding = _hiding_table(identity)

    def commit(self, values: Sequence[int], hiding: int) -> mpz:
        """Π g_j^(x_j)·g_0^κ mod N̂ for `length` integers of any sign and κ ≥ 0."""
        return self._values.product(values) * self._hiding.power(hiding) % self.group.modulus


@lru_cache(maxsize=8)
def vector_commitments(identity: TrainingIdentity, kind: str, length: int) -> VectorCommitments:
    """The same object for a training, kind and length within a process."""
    return VectorCommitments(identity, kind, length)


def map_commitments(identity: TrainingIdentity, parameters: int) -> VectorCommitments:
    """To a row of p coefficients and its offset."""
    return vector_commitments(identity, "map", parameters + 1)


def gram_commitments(identity: TrainingIdentity, parameters: int, targets: int = 1) -> VectorCommitments:
    """To the triangle of a Gram matrix of p columns and the target, row by row; see `gram_length`."""
    return vector_commitments(identity, "gram", gram_length(parameters, targets))


def triangle_length(size: int) -> int:
    """Entries i ≤ j of a square matrix."""
    return size * (size + 1) // 2


def gram_length(parameters: int, targets: int = 1) -> int:
    """Entries of a Gram matrix that are committed to: those of XᵀX, of every Xᵀy, and the sum of yᵀy.

    `parameters` are all targets' together, which share XᵀX. Of one target it is the whole triangle.
    """
    return triangle_length(parameters // targets) + parameters + 1


def map_limits(parameters: int, coefficient_bits: int, offset_bits: int) -> tuple[int, ...]:
    """How large a row's p coefficients and its offset may be: |M_ij| ≤ 1 at its scale, and the bound of v."""
    return (1 << coefficient_bits,) * parameters + (1 << offset_bits,)


def gram_limits(parameters: int, entry_bits: int, targets: int = 1) -> tuple[int, ...]:
    """How large each entry of a Gram matrix may be: a mean of products of numbers in [−1, 1], at its scale.

    Twice that: of a column of ones the factor's rounding makes a little more than 1.
    """
    return (2 << entry_bits,) * gram_length(parameters, targets)


@dataclass(frozen=True, slots=True)
class CommittedVector:
    """The integers in a commitment and its κ: the owner's alone, hidden from repr."""

    values: tuple[int, ...] = field(repr=False)
    hiding: int = field(repr=False)

    @classmethod
    def draw(
        cls, values: Iterable[int], limits: Sequence[int], group: CommitmentGroup, randomness: Randomness
    ) -> "CommittedVector":
        """The values under a fresh κ of the group.

        Raises MisuseError for one beyond its limit, whose proof would tell how large it is, and for a vector
        of another length.
        """
        kept = tuple(map(int, values))
        if len(kept) != len(limits):
            raise MisuseError(f"a vector of {len(kept)} values; {len(limits)} are committed to")
        for index, (value, limit) in enumerate(zip(kept, limits, strict=True)):
            if abs(value) > limit:
                raise MisuseError(
                    f"value {index} of a vector is beyond ±{limit}; take fewer steps or more ridge, and rows "
                    "within the declared ranges"
                )
        return cls(kept, randomness.bits(group.exponent_bits))


@dataclass(frozen=True, slots=True)
class OwnerCommitments:
    """What an owner shows: number of rows m, base h of its blinding, K_1 … K_p and K_Ĝ.

    Of several maps, one for each λ of a path of penalties, the rows of the first stand first.
    """

    owner: str
    rows: int
    base: mpz
    maps: tuple[mpz, ...] = field(repr=False)
    gram: mpz

    @classmethod
    def of(
        cls,
        identity: TrainingIdentity,
        owner: str,
        rows: int,
        base: mpz,
        maps: Sequence[CommittedVector],
        gram: CommittedVector,
    ) -> "OwnerCommitments":
        """Commit to the p rows of each map with their offsets, and to the triangle of a Gram matrix."""
        row_commitments = map_commitments(identity, len(maps[0].values) - 1)
        committed = tuple(row_commitments.commit(row.values, row.hiding) for row in maps)
        whole = vector_commitments(identity, "gram", len(gram.values)).commit(gram.values, gram.hiding)
        return cls(owner, rows, base, committed, whole)

    def digest(self, identity: TrainingIdentity, key: PublicKey) -> bytes:
        """What is made for the chain, of checked commitments: the keccak256 that a contract would compute.

        It is of abi.encode(uint256 chain, address contract, uint256 training, address owner, bytes32 key id,
        uint256 rows, bytes base, bytes[] commitments); numbers big end first, as long as their modulus.
        """
        base = int(self.base).to_bytes((key.bits + 7) // 8, "big")
        elements = [int(one).to_bytes(ELEMENT_BYTES, "big") for one in (*self.maps, self.gram)]
        chain, contract, training, key_id = _words(identity.to_bytes())
        head = (chain, contract, training, _word(int(self.owner, 16)), key_id, _word(self.rows))
        tail = _dynamic(base)
        start = 32 * (len(head) + 2)
        offsets = _word(start) + _word(start + len(tail))
        return keccak(b"".join(head) + offsets + tail + _dynamic_list(elements))

    def require(self, key: PublicKey, group: CommitmentGroup, map_rows: int) -> None:
        """Check what a peer sent.

        Raises ProtocolViolation("bad_commitment") for an owner that is no address, another number of rows
        of maps, a commitment that is no unit of the group, a number of rows outside 1 … 2^40, or a base
        that is no unit modulo n or has the Jacobi symbol 1: the parity of coefficients would show through it.
        """
        if not isinstance(self.owner, str) or not _ADDRESS.fullmatch(self.owner):
            raise ProtocolViolation(_BAD, "its owner is no address in lower case")
        if not is_integer(self.rows) or not 1 <= self.rows <= LARGEST_ROWS:
            raise ProtocolViolation(_BAD, "its number of rows is not between 1 and 2^40")
        require_units(self.maps, map_rows, group.modulus, _BAD, "committed row")
        require_units((self.gram,), 1, group.modulus, _BAD, "Gram commitment")
        if not is_unit(self.base, key.n) or gmpy2.jacobi(self.base, key.n) != -1:
            raise ProtocolViolation(_BAD, "its base is no unit modulo n with the Jacobi symbol -1")


@lru_cache(maxsize=8)
def _hiding_table(identity: TrainingIdentity) -> FixedBaseTable:
    group = identity.group
    base = group.generator(identity.to_bytes() + b"hiding")
    return FixedBaseTable(base, group.modulus, group.exponent_bits + PROOF_BITS)


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _words(content: bytes) -> list[bytes]:
    return [content[start : start + 32] for start in range(0, len(content), 32)]


def _dynamic(content: bytes) -> bytes:
    """The `bytes` of Solidity's ABI: length, content, zeros up to a whole word."""
    return _word(len(content)) + content + bytes(-len(content) % 32)


def _dynamic_list(items: Sequence[bytes]) -> bytes:
    """The `bytes[]` of Solidity's ABI: length, where each begins, each."""
    parts = [_dynamic(item) for item in items]
    starts, place = [], 32 * len(parts)
    for part in parts:
        starts.append(_word(place))
        place += len(part)
    return b"".join([_word(len(parts)), *starts, *parts])
