"""How many products modulo n² the steps of a checked round should take, by formula.

T trainers, V validators, p weights, n of k bits. A round after the first, whose start is public already. Of a
step that several parties take it is what all of them take together; tables that a process keeps count once.
Steps are named by the message that brings them about.
"""

from dataclasses import dataclass

from protocol.crypto.paillier import SHORT_EXPONENT_BITS
from protocol.crypto.powers import expected_products, window_for
from protocol.crypto.proofs.bounds import CHALLENGE_BITS, SLACK_BITS
from protocol.learning.moments.widths import SlotSet, pairs
from protocol.learning.scales import COEFFICIENT_SCALE, ENTRY_SCALE
from protocol.roles.checked.widths import CheckedWidths

CHECKERS = 2
MAKERS = 3
_SHORT = SHORT_EXPONENT_BITS / 5
"""Of a power of a blinding's base: tables of five bits."""
_MASKED = CHALLENGE_BITS + SLACK_BITS
_WEIGHT = CHALLENGE_BITS + 1
_INPUT_WINDOW, _PRODUCT_WINDOW, _POWER_WINDOW = 5, 6, 7


@dataclass(frozen=True)
class RoundSize:
    """What the formulas are of; `sets` are the slot sets of the round."""

    key_bits: int
    trainers: int
    validators: int
    parameters: int
    widths: CheckedWidths
    sets: tuple[SlotSet, ...]

    def by_step(self) -> dict[str, float]:
        """All steps that take any."""
        sums, noise = self.widths.next_model.sums.plaintexts * self._nth, len(self.sets) * self._nth
        zero = self._zero + self._long_of_two
        return {
            "encrypted_model": self._input_tables + self.trainers * self._update,
            "proven_update": self._updates_checked + self._request,
            "moment_answer": self.parameters * SHORT_EXPONENT_BITS / 6,
            "round_evidence": self.validators * (self._updates_checked + self._request + self._metric)
            + self._product_tables
            + CHECKERS * self._question,
            "projection_answer": CHECKERS * zero,
            "zero_test_shown": CHECKERS * (zero + self._question),
            "zero_test_result": CHECKERS * self._nth,
            "ring_shared": MAKERS * self._sums + sums + noise,
            "ring_opening": CHECKERS * (self._nth + expected_products(2, 1, CHALLENGE_BITS, 4)),
            "proven_metric": self._metrics_checked,
            "shown_metrics": self.validators * self._metrics_checked,
            "check_verdict": noise,
            "opening": (self.validators + 1) * self._nth,
            "EventConfirmed": sums,
        }

    # ---- long powers ----

    @property
    def _nth(self) -> float:
        """r^n, by windows that slide."""
        return self.key_bits * (1 + 1 / (_POWER_WINDOW + 1)) + (1 << (_POWER_WINDOW - 1))

    @property
    def _long_of_two(self) -> float:
        """c^a·r^n."""
        return expected_products(2, 1, self.key_bits, _POWER_WINDOW)

    def _packed(self, vectors: int, entries: int, per_plaintext: int) -> float:
        """Plaintexts of a request, each blinded by r^n in the squarings that pack it."""
        plaintexts = -(-vectors * entries // per_plaintext)
        return plaintexts * expected_products(1, 1, self.key_bits, _POWER_WINDOW) + vectors * entries

    @property
    def _request(self) -> float:
        return self._packed(self.trainers, self.parameters, self.widths.moments.request.per_plaintext)

    @property
    def _question(self) -> float:
        """⟨β, θ̃_t⟩ of each vector, and its request."""
        each = expected_products(self.parameters, 1, 64, window_for(64, 1))
        packed = self._packed(self.trainers, 1, self.widths.projection.request.per_plaintext)
        return self.trainers * each + packed

    # ---- updates ----

    @property
    def _input_tables(self) -> float:
        return expected_products(self.parameters, 0, 0, _INPUT_WINDOW)

    @property
    def _update(self) -> float:
        """Its p rows of matrix entries below 2^40, most of them small, and the proof's announcement."""
        p, rows = self.parameters, COEFFICIENT_SCALE - 4
        announced = COEFFICIENT_SCALE + CHALLENGE_BITS + _MASKED
        products = p * _row(p, rows, _INPUT_WINDOW) + p * rows
        return products + _row(p, announced, _INPUT_WINDOW) + announced + (p + 2) * _SHORT

    @property
    def _updates_checked(self) -> float:
        """Each trainer's rows folded into one, and the equation of all."""
        p = self.parameters
        responses = COEFFICIENT_SCALE + CHALLENGE_BITS + _MASKED + _WEIGHT
        folded = self.trainers * expected_products(p, 1, CHALLENGE_BITS, window_for(CHALLENGE_BITS, 1))
        blinding = SHORT_EXPONENT_BITS + CHALLENGE_BITS + _MASKED + _WEIGHT
        return folded + _row(p, responses, _INPUT_WINDOW) + self._claims(self.trainers, blinding, 1)

    def _claims(self, provers: int, blinding: int, sets: int) -> float:
        """The equation's chain, and its powers of each prover's base, announcements and outputs."""
        window = window_for(blinding, 1)
        powers = _row(1, blinding, window) + sets * (
            _row(1, _WEIGHT, window) + _row(1, _WEIGHT + CHALLENGE_BITS, window)
        )
        return blinding + provers * (powers + expected_products(1 + 2 * sets, 0, 0, window))

    # ---- metrics ----

    @property
    def _product_tables(self) -> float:
        bases = sum(sum(self._bases(one)) for one in self.sets)
        return expected_products(bases, 0, 0, _PRODUCT_WINDOW)

    def _bases(self, one: SlotSet) -> tuple[int, int]:
        """The products of a set, and what takes masks out of them."""
        p, several = self.parameters, len(self.sets) > 1
        return len(pairs(p + 1)) - 1, p * (len(one.members) + several)

    def _products(self, bits: int) -> float:
        """The powers under exponents of so many bits, and squarings of the longest: a mask times longer."""
        masked = bits + self.widths.moments.request.slot_bits
        total = 0.0
        for one in self.sets:
            products, unmasking = self._bases(one)
            total += _row(products, bits, _PRODUCT_WINDOW) + _row(unmasking, masked, _PRODUCT_WINDOW)
        return total

    def _squarings(self, bits: int) -> int:
        return bits + self.widths.moments.request.slot_bits

    @property
    def _metric(self) -> float:
        """X_v and its proof's announcement, a chain for each set in both."""
        entry, sets = ENTRY_SCALE + 2, len(self.sets)
        announced = entry + _MASKED
        chains = sets * (self._squarings(entry) + self._squarings(announced))
        return self._products(entry) + self._products(announced) + chains + 3 * sets * _SHORT

    @property
    def _metrics_checked(self) -> float:
        responses = ENTRY_SCALE + 2 + _MASKED + _WEIGHT
        blinding = max(SHORT_EXPONENT_BITS + _MASKED + _WEIGHT, self._squarings(responses))
        return self._products(responses) + self._claims(self.validators, blinding, len(self.sets))

    @property
    def _zero(self) -> float:
        """Powers β_i·β_j of all products, times f where there are several sets."""
        bits = 2 * 64 + (64 if len(self.sets) > 1 else 0)
        return self._products(bits) + self._squarings(bits)

    # ---- the next model ----

    @property
    def _sums(self) -> float:
        """What a next model's sums are of, and the sums: short coefficients in each slot of an exponent."""
        p, sums = self.parameters, self.widths.next_model.sums
        factor = self.widths.next_model.factor(self.trainers).bit_length()
        numbers = p * (self.trainers + 4 + COEFFICIENT_SCALE + 1.25 * factor + 8)
        packed = _row(2 * p, 20, _INPUT_WINDOW) * 20 + expected_products(2 * p, 0, 0, _INPUT_WINDOW)
        slots = 20 - sums.plaintexts
        return numbers + packed + slots * sums.layout.slot_bits + sums.plaintexts * 20


def _row(bases: int, bits: int, window: int) -> float:
    """Powers of so many bases in a chain, without its squarings."""
    return expected_products(bases, 1, bits, window) - expected_products(bases, 0, 0, window) - bits
