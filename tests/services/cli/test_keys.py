import pytest

from services.identity.keystore import Cost, Keystore
from tests.support.daemons.command_line import refused, run, run_json

PASSPHRASE = "correct horse"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    cost = Cost(2, 1, 8192)
    monkeypatch.setattr("services.identity.keystore.Cost", lambda: cost)


@pytest.fixture
def keystore(tmp_path):
    return ("--keystore", tmp_path / "keys")


def passphrase_file(tmp_path, text, name="passphrase"):
    path = tmp_path / name
    path.touch(mode=0o600)
    path.write_text(text + "\n")
    return path


@pytest.fixture
def passphrase(tmp_path):
    return ("--passphrase-file", passphrase_file(tmp_path, PASSPHRASE))


def test_keys_are_made_and_shown(keystore, passphrase, tmp_path):
    made = run_json("keys", "create", *keystore, *passphrase)
    identity = Keystore.open(tmp_path / "keys", PASSPHRASE).identity
    assert made["address"] == identity.address
    assert made["exchange_key"] == "0x" + identity.exchange_key.hex()
    assert run_json("keys", "show", *keystore) == made
    shown = run("keys", "show", *keystore).stdout
    assert f"address       {identity.address}\n" in shown
    assert identity.signing_key.hex() not in shown


def test_a_passphrase_is_asked_for_twice_without_being_shown(keystore, tmp_path):
    result = run("keys", "create", *keystore, text=f"{PASSPHRASE}\n{PASSPHRASE}\n")
    assert PASSPHRASE not in result.output
    Keystore.open(tmp_path / "keys", PASSPHRASE)


def test_rotation_changes_the_exchange_key_alone(keystore, passphrase, tmp_path):
    before = run_json("keys", "create", *keystore, *passphrase)
    after = run_json("keys", "rotate", *keystore, *passphrase)
    assert after["exchange_key"] != before["exchange_key"]
    assert after["address"] == before["address"]
    assert len(Keystore.open(tmp_path / "keys", PASSPHRASE).exchange_secrets()) == 2


def test_the_passphrase_changes_and_the_keys_stay(keystore, passphrase, tmp_path):
    before = run_json("keys", "create", *keystore, *passphrase)
    new = ("--new-passphrase-file", passphrase_file(tmp_path, "battery staple", "new"))
    assert run_json("keys", "passphrase", *keystore, *passphrase, *new) == before
    assert "the passphrase does not open" in refused("keys", "rotate", *keystore, *passphrase)
    Keystore.open(tmp_path / "keys", "battery staple")


def test_what_cannot_be_done_is_told(keystore, passphrase, tmp_path):
    for command in ("show", "rotate", "passphrase"):
        more = () if command == "show" else passphrase
        assert "make one with: deltaml keys create" in refused("keys", command, *keystore, *more)
    short = ("--passphrase-file", passphrase_file(tmp_path, "short", "short"))
    assert "8 characters or more" in refused("keys", "create", *keystore, *short)
    run("keys", "create", *keystore, *passphrase)
    assert "there is a key store" in refused("keys", "create", *keystore, *passphrase)
    missing = ("--passphrase-file", tmp_path / "none")
    assert "there is no file" in refused("keys", "rotate", *keystore, *missing)
    passphrase[1].chmod(0o644)
    assert "run: chmod 0600" in refused("keys", "rotate", *keystore, *passphrase)
    (tmp_path / "keys").chmod(0o755)
    assert "run: chmod 0700" in refused("keys", "show", *keystore)
