"""What was signed of a round outlives the store, a restart and a machine that fails in between."""

import resource
from contextlib import contextmanager

import pytest

from protocol.errors import ProtocolViolation
from protocol.records import Market
from services.common.errors import ConfigurationError
from services.identity.signed_rounds import SignedRounds

MARKET = Market(chain_id=1, contract="0x" + "11" * 20)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "signed-rounds"


def test_a_second_record_is_refused_after_a_restart_too(path):
    signed = SignedRounds(path)
    signed.require(MARKET, 7, 1, b"one")
    signed.require(MARKET, 7, 1, b"one")
    for again in (signed, SignedRounds(path)):
        with pytest.raises(ProtocolViolation, match="signed_otherwise: another record of round 1"):
            again.require(MARKET, 7, 1, b"other")
    assert path.read_bytes().count(b"\n") == 1


def test_rounds_trainings_and_markets_are_told_apart(path):
    signed = SignedRounds(path)
    other = Market(chain_id=2, contract=MARKET.contract)
    for place, signature in (
        ((MARKET, 7, 1), b"a"),
        ((MARKET, 7, 2), b"b"),
        ((MARKET, 8, 1), b"c"),
        ((other, 7, 1), b"d"),
    ):
        signed.require(*place, signature)
        SignedRounds(path).require(*place, signature)


def test_a_line_that_was_cut_off_is_of_nothing_that_was_shown(path):
    SignedRounds(path).require(MARKET, 7, 1, b"one")
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40])
    signed = SignedRounds(path)
    signed.require(MARKET, 7, 2, b"two")
    SignedRounds(path).require(MARKET, 7, 2, b"two")


@pytest.mark.parametrize("content", [b"xyz\n", b"ab cd\n", b"\xff" * 9 + b"\n", b"0" * 64 + b"\n"])
def test_a_damaged_file_is_told_and_not_passed_over(path, content):
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="signed-rounds is damaged"):
        SignedRounds(path)


def test_nobody_else_reads_it(path):
    SignedRounds(path).require(MARKET, 7, 1, b"one")
    assert path.stat().st_mode & 0o077 == 0


def test_what_cannot_be_noted_is_not_signed(path):
    signed = SignedRounds(path / "missing" / "folder")
    with pytest.raises(OSError, match="No such file"):
        signed.require(MARKET, 7, 1, b"one")
    with pytest.raises(OSError, match="No such file"):
        signed.require(MARKET, 7, 1, b"other")


@contextmanager
def room_for(size):
    """No file grows beyond so many bytes: what is written over it is cut off, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_line_that_a_full_disk_cuts_off_counts_for_nothing_and_spoils_nothing(path):
    signed = SignedRounds(path)
    signed.require(MARKET, 7, 1, b"one")
    with room_for(path.stat().st_size + 40), pytest.raises(OSError, match="File too large"):
        signed.require(MARKET, 7, 2, b"two")
    signed.require(MARKET, 7, 2, b"two")
    again = SignedRounds(path)
    for number, signature in ((1, b"one"), (2, b"two")):
        again.require(MARKET, 7, number, signature)
        with pytest.raises(ProtocolViolation, match="signed_otherwise"):
            again.require(MARKET, 7, number, b"other")
