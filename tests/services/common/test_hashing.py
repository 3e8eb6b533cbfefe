"""Whatever computes the hash, it is the same hash."""

import os
import subprocess
import sys

from eth_hash.backends import pycryptodome, pysha3
from hypothesis import given
from hypothesis import strategies as st

from services.common.hashing import CHOICE, hash_fast

SHOWN = "from eth_hash.auto import keccak; keccak(b''); print(keccak.hasher.__module__)"


@given(st.binary(max_size=500))
def test_both_compute_the_same(content):
    assert pysha3.keccak256(content) == pycryptodome.keccak256(content)


def test_the_fast_one_is_chosen_unless_somebody_has_chosen():
    environment = {CHOICE: "pycryptodome"}
    hash_fast(environment)
    assert environment == {CHOICE: "pycryptodome"}
    del environment[CHOICE]
    hash_fast(environment)
    assert environment == {CHOICE: "pysha3"}


def test_a_process_started_afterwards_computes_by_the_chosen_one():
    environment = dict(os.environ)
    environment.pop(CHOICE, None)
    hash_fast(environment)
    command = [sys.executable, "-c", SHOWN]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "pysha3" in shown.stdout
