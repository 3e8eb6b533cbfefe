import json
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
import yaml

from services.chain.contract.abi import creation_code, token_artifact
from services.identity.keystore import Cost, Keystore
from tests.support.chain.anvil import running_anvil
from tests.support.daemons.command_line import refused, run, run_json

WEI = 10**20


@pytest.fixture(scope="module")
def node():
    with running_anvil() as url:
        yield url


def rpc(url, method, *parameters):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=10) as answer:
        return json.load(answer)["result"]


@pytest.fixture
def keys(tmp_path):
    passphrase = tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("correct horse\n")
    keystore = Keystore.create(tmp_path / "keys", "correct horse", Cost(2, 1, 8192))
    opened = ("--keystore", tmp_path / "keys", "--passphrase-file", passphrase)
    return keystore.identity.address, (*opened, "--registry", tmp_path / "contracts.json")


def test_a_contract_is_deployed_and_recognised(node, keys):
    address, options = keys
    rpc(node, "anvil_setBalance", address, hex(WEI))
    made = run_json("admin", "contract", "deploy", "--chain", node, *options)
    assert made["chain_id"] == 31337
    assert made["deployer"] == address
    assert WEI - int(rpc(node, "eth_getBalance", address, "latest"), 16) == int(made["fee_wei"])
    receipt_gas = int(rpc(node, "eth_getBlockByNumber", hex(made["block"]), False)["gasUsed"], 16)
    assert made["gas"] == receipt_gas
    shown = run_json("admin", "contract", "show", "--chain", node, "--contract", made["contract"])
    assert shown["genuine"]
    assert shown["escrow_wei"] == shown["held_wei"] == "0"
    token, show = (
        "0x" + "70" * 20,
        ("admin", "contract", "show", "--chain", node, "--contract", made["contract"]),
    )
    assert "does not answer balanceOf" in refused(*show, "--token", token, status=3)
    artifact = token_artifact()
    rpc(node, "anvil_setCode", token, "0x" + creation_code(artifact)[-artifact["runtime_bytes"] :].hex())
    assert run_json(*show, "--token", token)["held_units"] == "0"


def test_the_lines_for_the_daemons_are_yaml(node, keys):
    address, options = keys
    rpc(node, "anvil_setBalance", address, hex(WEI))
    printed = run("admin", "contract", "deploy", "--chain", node, *options).stdout
    chain = yaml.safe_load(printed)["chain"]
    assert rpc(node, "eth_getCode", chain["contract"], "latest") != "0x"
    assert (chain["url"], chain["chain_id"]) == (node, 31337)
    assert chain["first_block"] == int(rpc(node, "eth_blockNumber"), 16)
    text = run("admin", "contract", "show", "--chain", node, "--contract", chain["contract"]).stdout
    assert "genuine       yes\n" in text
    assert "escrow        0 ETH\n" in text


def test_other_code_is_not_taken_for_ours(node, keys):
    address, options = keys
    rpc(node, "anvil_setBalance", address, hex(WEI))
    contract = run_json("admin", "contract", "deploy", "--chain", node, *options)["contract"]
    code = bytearray.fromhex(rpc(node, "eth_getCode", contract, "latest")[2:])
    code[len(code) // 2] ^= 1
    rpc(node, "anvil_setCode", contract, "0x" + code.hex())
    shown = run_json("admin", "contract", "show", "--chain", node, "--contract", contract, status=1)
    assert not shown["genuine"]
    assert shown["escrow_wei"] is None


def test_what_cannot_be_done_is_told(node, keys):
    _, options = keys
    assert "fund" in refused("admin", "contract", "deploy", "--chain", node, *options, status=3)
    show = ("admin", "contract", "show", "--chain", node, "--contract")
    assert "no contract at" in refused(*show, "0x" + "12" * 20, status=3)
    assert "is not an address" in refused(*show, "0x12")
    assert "wrong checksum" in refused(*show, "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")


def test_a_deployment_is_recorded_and_checked_against_the_chain(node, keys, tmp_path):
    address, options = keys
    rpc(node, "anvil_setBalance", address, hex(WEI))
    made = [run_json("admin", "contract", "deploy", "--chain", node, *options) for _ in range(2)]
    file = tmp_path / "contracts.json"
    recorded = json.loads(file.read_text())["contracts"]
    assert [one.pop("address") for one in recorded] == [one["contract"] for one in made]
    assert [one | made[number] for number, one in enumerate(recorded)] == made
    assert recorded[0]["version"] == "2"
    assert file.stat().st_mode & 0o777 == 0o644
    check = ("admin", "contract", "check", "--chain", node, "--registry", file)
    assert [one["outcome"] for one in run_json(*check)] == ["as recorded"] * 2
    rpc(node, "anvil_setCode", made[0]["contract"], "0x00")
    outcomes = [one["outcome"] for one in run_json(*check, status=1)]
    assert outcomes[1] == "as recorded"
    assert "is not this version's contract" in outcomes[0]


def test_a_registry_is_looked_at_before_anything_is_paid(node, keys, tmp_path):
    address, options = keys
    rpc(node, "anvil_setBalance", address, hex(WEI))
    (tmp_path / "contracts.json").write_text('{"contracts": [{"chain_id": 1}]}')
    assert "contracts.0.address" in refused("admin", "contract", "deploy", "--chain", node, *options)
    assert int(rpc(node, "eth_getBalance", address, "latest"), 16) == WEI


def test_nothing_is_recorded_for_a_chain_in_the_registry_of_the_sources(node):
    file = Path(__file__).parents[3] / "deploy" / "contracts.json"
    said = run("admin", "contract", "check", "--chain", node, "--registry", file, status=1)
    assert "tells of no contract on chain 31337" in said.stderr
