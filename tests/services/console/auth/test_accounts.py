"""Accounts in a file for its owner alone, made by the command."""

import json
import stat

import pytest

from services.common.errors import ConfigurationError
from services.console.auth.accounts import Accounts
from tests.support.daemons.command_line import refused, run

PASSWORD = "a long enough password"
CONFIG = """
daemon: model-buyer
broker: {url: "amqp://0x00000000000000000000000000000000000000b1@127.0.0.1:5672/deltaml"}
chain: {url: "http://127.0.0.1:8545", chain_id: 31337, contract: "0x00000000000000000000000000000000000000c1"}
keystore: keys
passphrase_file: passphrase
console: {port: 8461}
"""


@pytest.fixture
def accounts(tmp_path):
    return Accounts(tmp_path / "users.json")


def test_an_account_is_kept_as_a_hash_for_the_owner_alone(accounts):
    accounts.add("olga", PASSWORD, "operator")
    assert stat.S_IMODE(accounts.path.stat().st_mode) == 0o600
    content = accounts.path.read_text()
    assert PASSWORD not in content
    assert json.loads(content)["olga"]["password"].startswith("$argon2id$")
    assert accounts.verify("olga", PASSWORD).role == "operator"
    assert accounts.verify("olga", PASSWORD + "x") is None
    assert accounts.verify("nobody", PASSWORD) is None


def test_another_process_changes_the_file_meanwhile(accounts):
    accounts.add("olga", PASSWORD, "viewer")
    Accounts(accounts.path).change_password("olga", "another long password")
    assert accounts.verify("olga", PASSWORD) is None
    assert accounts.verify("olga", "another long password").generation == 2
    Accounts(accounts.path).remove("olga")
    assert accounts.get("olga") is None


@pytest.mark.parametrize(
    ("name", "password"),
    [("Olga", PASSWORD), ("", PASSWORD), ("a" * 65, PASSWORD), ("olga", "short"), ("olga", "x" * 2000)],
)
def test_what_cannot_be_an_account_is_refused(accounts, name, password):
    with pytest.raises(ConfigurationError):
        accounts.add(name, password, "viewer")
    assert not accounts.path.exists()


def test_a_name_is_given_once_and_must_be_known(accounts):
    accounts.add("olga", PASSWORD, "viewer")
    with pytest.raises(ConfigurationError, match="already"):
        accounts.add("olga", PASSWORD, "viewer")
    for change in (lambda: accounts.change_password("x", PASSWORD), lambda: accounts.remove("x")):
        with pytest.raises(ConfigurationError, match="no account 'x'"):
            change()


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"olga": {}}', '{"olga": {"role": "king", "password": ""}}']
)
def test_a_file_that_is_no_file_of_accounts_is_refused(accounts, content):
    accounts.path.write_text(content)
    accounts.path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="deltaml console user add"):
        accounts.all()


def test_a_file_that_others_can_read_is_refused(accounts):
    accounts.add("olga", PASSWORD, "viewer")
    accounts.path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 0600"):
        Accounts(accounts.path).all()


def test_the_command_makes_lists_changes_and_removes(tmp_path):
    config, password = tmp_path / "buyer.yaml", tmp_path / "password"
    config.write_text(CONFIG)
    password.write_text(PASSWORD + "\n")
    password.chmod(0o600)
    common = ["--config", str(config)]
    secret = ["--password-file", str(password)]
    assert run("console", "user", "add", "olga", "--role", "operator", *common, *secret).exit_code == 0
    accounts = Accounts(tmp_path / "console-users.json")
    assert accounts.verify("olga", PASSWORD).role == "operator"
    listed = run("console", "user", "list", *common, "--json")
    assert json.loads(listed.stdout) == [{"account": "olga", "role": "operator"}]
    password.write_text("another long password\n")
    assert run("console", "user", "passwd", "olga", *common, *secret).exit_code == 0
    assert accounts.verify("olga", "another long password")
    assert run("console", "user", "remove", "olga", *common).exit_code == 0
    assert accounts.all() == {}
    assert "no role 'king'" in refused("console", "user", "add", "olga", "--role", "king", *common, *secret)
    config.write_text(CONFIG.replace("console: {port: 8461}", ""))
    assert "no console section" in refused("console", "user", "list", *common)
