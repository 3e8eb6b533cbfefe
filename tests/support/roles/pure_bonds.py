"""The contract's bonds in plain Python: who gave one, who lost it for what, who has it back."""

from collections import Counter
from contextlib import suppress

from protocol.accusations import AccuseOfFalseOpening, AccuseOfTwoRecords
from protocol.errors import ProtocolViolation
from protocol.marketplace import BondForfeited, Credited, Fault, Opened, Share
from protocol.records import Market
from protocol.signatures import recover_address


class PureBonds:
    """One training's."""

    def __init__(self, opened: Opened, market: Market) -> None:
        self.opened, self.market = opened, market
        self.held: Counter[str] = Counter()
        self.credits: Counter[str] = Counter()
        self.credited: list[Credited] = []
        self.lost: list[BondForfeited] = []

    def give(self, account: str, amount: int) -> None:
        """What the contract takes with a call."""
        self.held[account] += amount

    def release(self, account: str) -> int:
        """Credit an account with its own."""
        amount = self.held.pop(account, 0)
        self._credit(account, "bond", amount)
        return amount

    def forfeit(self, account: str, fault: Fault) -> BondForfeited | None:
        """Credit whom the terms name with an account's bond; None where it has none."""
        amount = self.held.pop(account, 0)
        if not amount:
            return None
        terms, training = self.opened.terms, self.opened.training
        self._credit(terms.forfeit_to, "forfeit", amount)
        lost = BondForfeited(
            training=training, account=account, fault=fault, token=terms.token, amount=amount
        )
        self.lost.append(lost)
        return lost

    def withdraw(self, account: str) -> int:
        """What leaves the contract with an account's withdrawal."""
        return self.credits.pop(account, 0)

    def shows_two_records(self, call: AccuseOfTwoRecords, drawn: int) -> bool:
        """Whether the account signed two different records of one round, of seats that were drawn."""
        first, second = call.first, call.second
        place = (self.opened.training, first.round)
        signed = self._has_signed(call.account, first.digest(self.market), call.first_signature)
        signed = signed and self._has_signed(call.account, second.digest(self.market), call.second_signature)
        named = first.trainers | first.validators | second.trainers | second.validators
        same = (first.training, first.round) == (second.training, second.round) == place
        return signed and same and first != second and named & ~drawn == 0

    def shows_false_opening(self, call: AccuseOfFalseOpening) -> bool:
        """Whether the buyer signed an opening that is false: in one power."""
        opening = call.opening
        fields = (opening.modulus, opening.ciphertext, opening.plaintext, opening.root)
        n, c, m, r = (int.from_bytes(field, "big") for field in fields)
        is_signed = self._has_signed(self.opened.buyer, opening.digest(self.market), call.signature)
        return is_signed and (1 + m * n) * pow(r, n, n * n) % (n * n) != c

    def _has_signed(self, account: str, digest: bytes, signature: bytes) -> bool:
        with suppress(ProtocolViolation):
            return recover_address(digest, signature) == account
        return False

    def _credit(self, account: str, share: Share, amount: int) -> None:
        if amount:
            self.credits[account] += amount
            training, token = self.opened.training, self.opened.terms.token
            credit = Credited(training=training, account=account, share=share, token=token, amount=amount)
            self.credited.append(credit)
