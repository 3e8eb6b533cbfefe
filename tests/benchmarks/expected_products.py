"""How many products modulo n² the steps of a checked round should take, by formula.

T trainers, V validators, p weights, n of k bits. A round after the first, whose start is public already. Of a
step that several parties take it is what all of them take together; tables that a process keeps count once.
Steps are named by the message that brings them about.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol.crypto.paillier import SHORT_EXPONENT_BITS
from protocol.crypto.powers import MOST_KEPT_BASES, expected_products, window_for
from protocol.crypto.proofs.bounds import CHALLENGE_BITS, SLACK_BITS
from protocol.learning.moments.products import ROWS_FROM
from protocol.learning.moments.widths import SlotSet, pairs
from protocol.learning.scales import COEFFICIENT_SCALE, ENTRY_SCALE
from protocol.roles.rounds.widths import CheckedWidths

CHECKERS = 2
MAKERS = 3
_SHORT = SHORT_EXPONENT_BITS / 5
"""Of a power of a blinding's base: tables of five bits."""
_MASKED = CHALLENGE_BITS + SLACK_BITS
_WEIGHT = CHALLENGE_BITS + 1
_TWO = 2
"""The bits of the first weight of an equation, which is 2."""
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
        sums, noise = self.widths.next_model.sums.plaintexts, len(self.sets)
        members, others = self.validators, self.validators - CHECKERS
        return {
            "encrypted_model": self._input_tables + self.trainers * self._update,
            "proven_update": self._update_tables + self._updates_checked + self._request,
            "moment_answer": self.parameters * SHORT_EXPONENT_BITS / 6,
            "round_evidence": CHECKERS * (self._updates_checked + self._request_checked(kept=True))
            + others * self._request_checked(kept=False)
            + self._product_tables(members, first=True)
            + members * self._metric
            + CHECKERS * self._question,
            "projection_answer": CHECKERS * (self._zero + self._long_of_two) + self._product_tables(CHECKERS),
            "zero_test_shown": CHECKERS * (self._zero + self._question_checked)
            + self._product_tables(CHECKERS),
            "zero_test_result": CHECKERS * self._nth,
            "ring_shared": MAKERS * self._sums + self._roots_checked(sums) + self._roots_checked(noise),
            "ring_opening": CHECKERS * (self._nth + expected_products(2, 1, CHALLENGE_BITS, 4)),
            "proven_metric": self._metrics_checked(members) + self._product_tables(1),
            "shown_metrics": CHECKERS * self._metrics_checked(members - 1) + self._product_tables(CHECKERS),
            "check_verdict": noise * self._nth,
            "opening": (members + 1) * self._roots_opened(noise),
            "EventConfirmed": sums * self._nth,
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

    def _roots_checked(self, plaintexts: int) -> float:
        """So many r^n at once: the squarings of one, and a power under its weight of each ciphertext."""
        return self.key_bits + _once(self.key_bits) + _once(1) + (plaintexts - 1) * _once(_WEIGHT)

    def _roots_opened(self, plaintexts: int) -> float:
        """Openings: one as it is, several under weights in a chain of their own."""
        weighted = CHALLENGE_BITS + plaintexts * _once(CHALLENGE_BITS)
        return self._nth + (weighted if plaintexts > 1 else 0)

    # ---- what the key's holder is asked ----

    def _packed(self, vectors: int, entries: int, per_plaintext: int) -> float:
        """Plaintexts of a request, each blinded by r^n in the squarings that pack it."""
        plaintexts = -(-vectors * entries // per_plaintext)
        return plaintexts * expected_products(1, 1, self.key_bits, _POWER_WINDOW) + vectors * entries

    @property
    def _request(self) -> float:
        return self._packed(self.trainers, self.parameters, self.widths.moments.request.per_plaintext)

    def _request_checked(self, *, kept: bool) -> float:
        """The same with the next model's roots, in the squarings of one plaintext; by kept tables or others.

        The first plaintext's weight is 2, so that its weights are multiplied as they are.
        """
        p, layout = self.parameters, self.widths.moments.request
        weights = self.trainers * p
        first = min(weights, layout.per_plaintext)
        each = _row(1, _WEIGHT, _INPUT_WINDOW) if kept else _once(_WEIGHT)
        models = 2 * p * _once(_WEIGHT)
        return self._roots_checked(layout.plaintexts(weights)) + first + (weights - first) * each + models

    @property
    def _question(self) -> float:
        """⟨β, θ̃_t⟩ of all vectors in the squarings of each plaintext."""
        plaintexts = self.widths.projection.request.plaintexts(self.trainers)
        chains = plaintexts * (self.key_bits + _once(self.key_bits))
        return chains + _row(self.trainers * self.parameters, 64, _INPUT_WINDOW)

    @property
    def _question_checked(self) -> float:
        """The same with the zero test, whose base has an exponent as long as n under a weight."""
        plaintexts = self.widths.projection.request.plaintexts(self.trainers)
        weights = _row(self.trainers * self.parameters, 65, _INPUT_WINDOW)
        return self._roots_checked(plaintexts + 1) + _WEIGHT + weights + _once(self.key_bits + _WEIGHT)

    # ---- updates ----

    @property
    def _input_tables(self) -> float:
        return expected_products(self.parameters, 0, 0, _INPUT_WINDOW)

    @property
    def _update_tables(self) -> float:
        return expected_products(self.trainers * self.parameters, 0, 0, _INPUT_WINDOW)

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
        folded = self.trainers * (_row(p, CHALLENGE_BITS, _INPUT_WINDOW) + CHALLENGE_BITS)
        blinding = SHORT_EXPONENT_BITS + CHALLENGE_BITS + _MASKED + _WEIGHT
        claims = blinding + self.trainers * self._claim(blinding, [_WEIGHT])
        return folded + _row(p, responses, _INPUT_WINDOW) + claims

    def _claim(self, blinding: int, weights: Sequence[int]) -> float:
        """The powers of a prover's base, and of each set's announcement and output."""
        return _once(blinding) + sum(_once(one) + _once(one + CHALLENGE_BITS) for one in weights)

    # ---- metrics ----

    def _product_tables(self, parties: int, *, first: bool = False) -> float:
        """Of a step of so many parties: once in a round where a process keeps them, else by each."""
        made = 0.0
        for one in self.sets:
            window, times = self._window(one), int(first) if self._is_kept(one) else parties
            made += times * expected_products(sum(self._bases(one)), 0, 0, window)
        return made

    def _is_kept(self, one: SlotSet) -> bool:
        return sum(self._bases(one)) <= MOST_KEPT_BASES

    def _window(self, one: SlotSet) -> int:
        return _PRODUCT_WINDOW if self._is_kept(one) else _PRODUCT_WINDOW - 1

    def _bases(self, one: SlotSet) -> tuple[int, int]:
        """The products of a set, and what takes masks out of them."""
        return len(pairs(self.parameters + 1)) - 1, self.parameters * self._masks(one)

    def _masks(self, one: SlotSet) -> int:
        return len(one.members) + int(len(self.sets) > 1)

    def _products(self, one: SlotSet, bits: int) -> float:
        """A set's powers under exponents of so many bits; a mask makes them longer."""
        products, unmasking = self._bases(one)
        masked = _row(unmasking, self._squarings(bits), self._window(one))
        return _row(products, bits, self._window(one)) + masked

    def _squarings(self, bits: int) -> int:
        return bits + self.widths.moments.request.slot_bits

    @property
    def _metric(self) -> float:
        """X_v and its proof's announcement, a chain for each set in both."""
        entry = ENTRY_SCALE + 2
        chains = sum(
            self._products(one, bits) + self._squarings(bits)
            for one in self.sets
            for bits in (entry, entry + _MASKED)
        )
        return chains + 3 * len(self.sets) * _SHORT

    def _metrics_checked(self, claims: int) -> float:
        """So many; of a single one the first set's weight is 2."""
        weights = [_WEIGHT] * len(self.sets)
        if claims == 1:
            weights[0] = _TWO
        responses = [ENTRY_SCALE + 2 + _MASKED + one for one in weights]
        blinding = SHORT_EXPONENT_BITS + _MASKED + max(weights)
        chain = max(blinding, *map(self._squarings, responses))
        products = sum(self._products(one, bits) for one, bits in zip(self.sets, responses, strict=True))
        return products + chain + claims * self._claim(blinding, weights)

    @property
    def _zero(self) -> float:
        """Powers β_i·β_j of all products, of each set in a chain of its own, and f of all but the first."""
        return sum(map(self._squares, self.sets)) + (len(self.sets) - 1) * (64 + _once(64))

    def _squares(self, one: SlotSet) -> float:
        """Of each vector's masks a row of powers β_i and one power of that; likewise of the answer's."""
        p, products, window = self.parameters, self._bases(one)[0], self._window(one)
        chain = self.widths.projection.request.slot_bits
        masks = _row(p, 64, window) + 64 + _once(self._squarings(64)) + _once(chain)
        squared = _row(products, 128, window)
        if p >= ROWS_FROM:
            squared = _row(products, 64, window) + p * (64 + _once(64))
        return squared + self._masks(one) * masks + chain + _once(1)

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


def _once(bits: int) -> float:
    """The power of one base with tables of its own, without squarings."""
    return expected_products(1, 1, bits, window_for(bits, 1)) - bits
