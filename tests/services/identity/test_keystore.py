import json
import os
import stat
import threading

import pytest
from eth_keyfile import decode_keyfile_json
from nacl.pwhash import argon2id

from protocol.crypto.paillier import PrivateKey
from services.common.errors import ConfigurationError
from services.identity.keystore import Cost, Keystore, public_identity
from services.identity.sealing import exchange_key_of, seal, unseal

CHEAP = Cost(2, argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN)
PASSPHRASE = "correct horse"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "keys"


@pytest.fixture
def keystore(folder):
    return Keystore.create(folder, PASSPHRASE, CHEAP)


def every_file(folder):
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_the_same_identity_is_opened_again(keystore, folder):
    opened = Keystore.open(folder, PASSPHRASE)
    assert opened.identity == keystore.identity
    shown = public_identity(folder)
    assert (shown.address, shown.exchange_key) == (keystore.identity.address, keystore.identity.exchange_key)
    assert len(keystore.identity.signing_key) == len(keystore.identity.exchange_secret) == 32


def test_no_two_key_stores_share_a_key(tmp_path):
    one, two = (Keystore.create(tmp_path / name, PASSPHRASE, CHEAP).identity for name in "ab")
    assert one.signing_key != two.signing_key
    assert one.exchange_secret != two.exchange_secret


def test_the_default_cost_is_that_of_the_standards():
    assert Cost() == Cost(2**18, argon2id.OPSLIMIT_MODERATE, argon2id.MEMLIMIT_MODERATE)


def test_the_signing_key_is_an_ethereum_keystore(keystore, folder):
    document = json.loads((folder / "keystore.json").read_text())["signing_key"]
    assert document["version"] == 3
    assert decode_keyfile_json(document, PASSPHRASE.encode()) == keystore.identity.signing_key


def test_folder_and_files_are_for_their_owner(keystore, folder):
    keystore.paillier("training", 512)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_no_secret_is_in_a_file_or_a_repr(keystore, folder):
    key = keystore.paillier("training", 512)
    identity = keystore.identity
    private = PrivateKey.from_bytes(key)
    secrets = [identity.signing_key, identity.exchange_secret, key, int(private.p).to_bytes(32, "big")]
    stored = every_file(folder)
    for secret in secrets:
        assert secret not in stored
        assert secret.hex().encode() not in stored
    shown = repr(keystore) + repr(identity) + repr(public_identity(folder)) + str(vars(keystore))
    for secret in (identity.exchange_secret, key):
        assert secret.hex() not in shown
    assert identity.signing_key.hex() not in repr(keystore) + repr(identity)
    assert repr(identity.signing_key) not in repr(keystore) + repr(identity)


def test_a_wrong_passphrase_opens_nothing_and_is_not_repeated(keystore, folder):
    with pytest.raises(ConfigurationError, match="the passphrase does not open") as refused:
        Keystore.open(folder, "wrong passphrase")
    assert "wrong passphrase" not in str(refused.value)


def test_a_short_passphrase_is_refused_before_anything_is_written(folder):
    with pytest.raises(ConfigurationError, match="use 8 characters or more"):
        Keystore.create(folder, "short", CHEAP)
    assert list(folder.iterdir()) == []


def test_a_second_key_store_does_not_overwrite_the_first(keystore, folder):
    before = every_file(folder)
    with pytest.raises(ConfigurationError, match=r"there is a key store in .* already"):
        Keystore.create(folder, PASSPHRASE, CHEAP)
    assert every_file(folder) == before


@pytest.mark.parametrize(("name", "mode"), [("", 0o750), ("keystore.json", 0o644)])
def test_what_others_can_reach_is_not_opened(keystore, folder, name, mode):
    (folder / name).chmod(mode)
    with pytest.raises(ConfigurationError, match="can be reached by others"):
        Keystore.open(folder, PASSPHRASE)
    with pytest.raises(ConfigurationError, match="can be reached by others"):
        public_identity(folder)


def test_a_folder_without_a_key_store_says_how_to_make_one(tmp_path):
    with pytest.raises(ConfigurationError, match="deltaml keys create"):
        Keystore.open(tmp_path, PASSPHRASE)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.clear(),
        lambda document: document.pop("data_key"),
        lambda document: document["data_key"].update(salt="00" * 16),
        lambda document: document["signing_key"]["crypto"].pop("kdf"),
        lambda document: document["signing_key"].update(address="00" * 20),
        lambda document: document.update(exchange_secrets="00" * 80),
    ],
)
def test_a_changed_file_is_refused(keystore, folder, change):
    path = folder / "keystore.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigurationError, match="is damaged; put a backup"):
        Keystore.open(folder, PASSPHRASE)


def test_text_that_is_not_json_and_other_versions_are_refused(keystore, folder):
    path = folder / "keystore.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "version": 2}))
    with pytest.raises(ConfigurationError, match="another version"):
        Keystore.open(folder, PASSPHRASE)
    path.write_text("{")
    with pytest.raises(ConfigurationError, match="is damaged"):
        Keystore.open(folder, PASSPHRASE)


def test_changing_the_passphrase_keeps_every_key(keystore, folder):
    before = keystore.paillier("training", 512)
    keystore.change_passphrase("battery staple", CHEAP)
    with pytest.raises(ConfigurationError, match="does not open"):
        Keystore.open(folder, PASSPHRASE)
    opened = Keystore.open(folder, "battery staple")
    assert opened.identity == keystore.identity
    assert opened.paillier("training", 512, create=False) == before
    with pytest.raises(ConfigurationError, match="8 characters"):
        opened.change_passphrase("short", CHEAP)
    assert Keystore.open(folder, "battery staple").identity == keystore.identity


def test_a_rotation_keeps_the_old_secret_for_trainings_under_way(keystore, folder):
    old = keystore.identity
    sealed = seal(b"message", old.exchange_key)
    public = keystore.rotate_exchange_key()
    opened = Keystore.open(folder, PASSPHRASE)
    assert opened.identity.exchange_key == public == public_identity(folder).exchange_key
    assert opened.identity.address == old.address
    assert opened.exchange_secrets() == keystore.exchange_secrets()
    assert opened.exchange_secrets()[1] == old.exchange_secret
    assert unseal(sealed, opened.exchange_secrets()[1]) == b"message"
    assert exchange_key_of(opened.exchange_secrets()[0]) != old.exchange_key


def test_each_training_has_one_paillier_key(keystore, folder):
    first = keystore.paillier("order:1", 512)
    assert keystore.paillier("order:1", 512) == first
    assert keystore.paillier("order:2", 512) != first
    assert Keystore.open(folder, PASSPHRASE).paillier("order:1", 512) == first
    assert PrivateKey.from_bytes(first).public_key.bits == 512
    assert public_identity(folder).paillier_keys == 2
    with pytest.raises(ConfigurationError, match="no Paillier key for 'order:3'"):
        keystore.paillier("order:3", 512, create=False)
    with pytest.raises(ConfigurationError, match="has 512 bits; 576 asked"):
        keystore.paillier("order:1", 576)


def test_labels_cannot_leave_the_folder(keystore, folder):
    keystore.paillier("../../outside", 512)
    assert len(list(folder.iterdir())) == 2
    assert keystore.paillier("../../outside", 512, create=False)


def test_threads_that_ask_at_once_get_one_key(keystore):
    keys = []
    threads = [
        threading.Thread(target=lambda: keys.append(keystore.paillier("training", 512))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 4
    assert len(set(keys)) == 1


def test_exchanged_or_changed_paillier_files_are_refused(keystore, folder):
    keystore.paillier("one", 512)
    keystore.paillier("two", 512)
    first, second = folder.glob("paillier-*.sealed")
    swapped = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(swapped)
    with pytest.raises(ConfigurationError, match="another label's key"):
        keystore.paillier("one", 512)
    for path in (first, second):
        path.write_bytes(bytes(100))
    with pytest.raises(ConfigurationError, match="is damaged"):
        keystore.paillier("one", 512)
    os.truncate(first, 3)
    os.truncate(second, 3)
    with pytest.raises(ConfigurationError, match="is damaged"):
        keystore.paillier("one", 512)
