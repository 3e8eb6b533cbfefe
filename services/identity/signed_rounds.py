"""What a party has signed of each round, beside its keys: it signs nothing else, whatever its store says.

A role signs the record of a round once, as its state remembers. A state that came back from before the
signature, such as a copied database, remembers nothing, and two signed records of one round cost a bond. So
each signature is written down before its message leaves the daemon, in a file of the key store, which no
restored store takes back.
"""

import os
from contextlib import suppress
from pathlib import Path

from eth_hash.auto import keccak

from protocol.errors import ProtocolViolation
from protocol.records import Market, number_word
from services.common.errors import ConfigurationError
from services.common.files import read_private, sync_folder

_HEX = 64


class SignedRounds:
    """The signatures of one party, in a file of lines, or without one in memory."""

    def __init__(self, path: Path | None = None) -> None:
        """Raises ConfigurationError for a file that others can read, or that is none of ours."""
        self._path = path
        self._known = {} if path is None or not path.exists() else _read(path)

    def require(self, market: Market, training: int, round_number: int, signature: bytes) -> None:
        """Note a signature of a round's record, before anybody is shown it; the same one again is no news.

        Raises ProtocolViolation("signed_otherwise") where another one was noted, OSError where it cannot be.
        """
        place = market.domain_separator() + number_word(training) + number_word(round_number)
        key, digest = keccak(place).hex(), keccak(signature).hex()
        known = self._known.get(key)
        if known is None:
            self._append(f"{key} {digest}\n".encode("ascii"))
            self._known[key] = digest
        elif known != digest:
            raise ProtocolViolation(
                "signed_otherwise",
                f"another record of round {round_number} was signed: the store is older than the key store",
            )

    def _append(self, line: bytes) -> None:
        if self._path is None:
            return
        is_new = not self._path.exists()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                while line:  # a full disk takes a part without a word, and refuses the rest
                    line = line[file.write(line) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)  # the next line would be no line of its own
                raise
        if is_new:
            sync_folder(self._path.parent)


def _read(path: Path) -> dict[str, str]:
    """By round. A line that was cut off when the machine failed is of a signature that nobody was shown."""
    content = read_private(path)
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    known = {}
    with suppress(ValueError):
        for line in whole.decode("ascii").splitlines():
            key, digest = line.split(" ")
            if len(bytes.fromhex(key)) != _HEX // 2 or len(bytes.fromhex(digest)) != _HEX // 2:
                break
            known[key] = digest
        else:
            return known
    raise ConfigurationError(
        f"{path} is damaged: it says what was signed, and without it two records of one round could be. "
        "Bring it back from a backup, or remove it once no training runs"
    )
