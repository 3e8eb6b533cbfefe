"""Documents that mean something else than people read in them, or harm who reads them, in every command."""

import codecs
import json
import re
from pathlib import Path

import pytest

from protocol.bought_model import BoughtModel
from services.common.addresses import is_address
from services.identity.keystore import Cost, Keystore
from tests.support.daemons.command_line import refused, run, run_json

SAMPLE = (Path(__file__).parents[2] / "REQUEST.yaml").read_text()
CHECKSUMMED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
WRONG = CHECKSUMMED.replace("aA", "AA", 1)
SEVERAL = "can be read in several ways"

AMBIGUOUS = {
    "octal": ("rounds: 5", "rounds: 010", f"'010' {SEVERAL}"),
    "base-60": ("rounds: 5", "rounds: 1:30", f"'1:30' {SEVERAL}"),
    "underscores": ("rounds: 5", "rounds: 1_000", f"'1_000' {SEVERAL}"),
    "norway": ("name: diabetes", "name: NO", f"'NO' {SEVERAL}"),
    "on": ("intercept: true", "intercept: on", f"'on' {SEVERAL}"),
    "nothing": ("name: diabetes", "name: ~", f"'~' {SEVERAL}"),
    "date": ("name: diabetes", "name: 2026-01-02", f"'2026-01-02' {SEVERAL}"),
    "infinite": ("step_size: auto", "step_size: .inf", f"'.inf' {SEVERAL}"),
    "overflow": ("step_size: auto", "step_size: 1.0e+999", f"'1.0e+999' {SEVERAL}"),
    "twice": ("intercept: true", "intercept: true\n  intercept: false", "key 'intercept' is given twice"),
    "alias": ("name: diabetes", "name: &x diabetes\nx: *x", "aliases are not allowed"),
    "tag": ("name: diabetes", "name: !!python/name:os.system x", "tags are not allowed"),
    "merge": ("model:", "model:\n  <<: {kind: x}", f"'<<' {SEVERAL}"),
    "deep": ("name: diabetes", "name: " + "[" * 10_000, "more than 20 levels"),
    "half": ("name: diabetes", 'name: "\\ud800"', "half a character"),
    "long": ("name: diabetes", "#" * (1 << 20) + "\nname: diabetes", "is longer than"),
    "escape": ("name: diabetes", 'name: "a\\e[2Jb"', "printable text on one line"),
}


@pytest.mark.parametrize(("found", "written", "says"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_request_that_means_something_else_is_refused_before_it_costs_money(tmp_path, found, written, says):
    request = tmp_path / "request.yaml"
    request.write_text(SAMPLE.replace(found, written, 1))
    assert request.read_text() != SAMPLE
    for arguments in (
        ("datasets", "match", request, "--catalogue", tmp_path / "catalogue"),
        ("train", request, "--config", tmp_path / "none.yaml"),
    ):
        text = refused(*arguments)
        assert says in text
        assert str(request) in text
        assert "\x1b" not in text


@pytest.mark.parametrize(
    "content", [SAMPLE.encode("utf-16-le"), SAMPLE.encode("utf-32"), b"name: \xe9\n", b"\0", b"", b"- x\n"]
)
def test_a_request_that_is_no_document_is_refused(tmp_path, content):
    request = tmp_path / "request.yaml"
    request.write_bytes(content)
    assert str(request) in refused("datasets", "match", request, "--catalogue", tmp_path / "catalogue")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_request_that_tells_its_encoding_is_read(tmp_path, encoding):
    request = tmp_path / "request.yaml"
    request.write_bytes(SAMPLE.replace("bmi", "größe").encode(encoding))
    rows = tmp_path / "rows.csv"
    rows.write_text("größe\n0.1\n")
    run("datasets", "add", rows, "--catalogue", tmp_path / "catalogue")
    [found] = run_json("datasets", "match", request, "--catalogue", tmp_path / "catalogue", status=1)
    assert not any("größe" in reason for reason in found["reasons"])
    assert any("age" in reason for reason in found["reasons"])


def configured(tmp_path, **changes):
    """A configuration as a person writes it."""
    fields = {"daemon": "data-owner", "keystore": "keys", "passphrase_file": "p", "store": "s", **changes}
    lines = [f"{name}: {value}" for name, value in fields.items()]
    chain = fields.get("chain") or f"{{url: 'http://localhost', chain_id: 1, contract: {CHECKSUMMED}}}"
    lines += ["broker: {url: 'amqp://o@localhost/'}", f"chain: {chain}", f"aggregators: [{CHECKSUMMED}]"]
    path = tmp_path / "config.yaml"
    path.write_text("\n".join(dict.fromkeys(lines)) + "\n")
    return path


@pytest.mark.parametrize("written", [CHECKSUMMED, CHECKSUMMED.lower(), f"0x{CHECKSUMMED[2:].upper()}"])
def test_an_address_is_one_in_any_case(tmp_path, written):
    config = configured(tmp_path, policy=f"{{buyers: [{written}]}}", catalogue="rows")
    run_json("datasets", "list", "--config", config)


@pytest.mark.parametrize(
    "changes",
    [
        {"policy": f"{{buyers: [{WRONG}]}}"},
        {"policy": f'{{buyers: ["{WRONG}"]}}'},
        {"policy": f"{{budget: {{limits: [{{data_set: rows, buyer: {WRONG}, numbers: 1}}]}}}}"},
        {"chain": f"{{url: 'http://localhost', chain_id: 1, contract: {WRONG}}}"},
    ],
)
def test_an_address_with_a_wrong_checksum_is_refused_by_name_in_every_place(tmp_path, changes):
    assert is_address(WRONG)
    for arguments in (("datasets", "list"), ("policy", "show"), ("show",)):
        text = refused(*arguments, "--config", configured(tmp_path, **changes))
        assert f"the address {WRONG} has a wrong checksum" in text


def test_an_option_with_a_wrong_checksum_is_refused_by_name(tmp_path):
    for arguments in (
        ("admin", "contract", "show", "--chain", "http://127.0.0.1:1", "--contract", WRONG),
        ("policy", "set", "--config", configured(tmp_path), "--buyers", f"{CHECKSUMMED},{WRONG}"),
        ("budget", "--config", configured(tmp_path), "--data-set", "rows", "--buyer", WRONG),
    ):
        text = run(*arguments, status=2).stderr
        assert f"the address {WRONG} has a wrong checksum" in text, arguments


@pytest.fixture
def keystore(tmp_path):
    folder = tmp_path / "keys"
    Keystore.create(folder, "correct horse ñ", Cost(2, 1, 8192))
    return folder


def passphrase(tmp_path, content, mode=0o600):
    path = tmp_path / "passphrase"
    path.touch(mode=mode)
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_a_passphrase_is_its_first_line_whatever_editor_wrote_it(tmp_path, keystore, mark, end):
    file = passphrase(tmp_path, mark + "correct horse ñ".encode() + end)
    run("keys", "rotate", "--keystore", keystore, "--passphrase-file", file)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("correct horse ñ".encode("utf-16"), "is not UTF-8 text; write the passphrase on its first line"),
        ("correct horse".encode("utf-16-le"), "is UTF-16 or no text; write the passphrase"),
        ("correct horse ñ".encode("latin-1"), "is not UTF-8 text; write the passphrase"),
        (b"\n", "is empty; write the passphrase"),
        (b"x" * 5000, "is longer than 4096 bytes"),
    ],
)
def test_a_passphrase_that_would_be_misread_is_refused_without_a_part_of_it(
    tmp_path, keystore, content, says
):
    text = refused(
        *("keys", "rotate", "--keystore", keystore, "--passphrase-file", passphrase(tmp_path, content))
    )
    assert says in text
    assert "horse" not in text


FIELDS = BoughtModel(name="m", features=("a",), target="y", weights=(2.0,), intercept=0.5).model_dump()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a,y\n1,2\n",
        b"PAR1",
        json.dumps(FIELDS).encode("utf-16"),
        b"[" * 100_000,
        json.dumps({**FIELDS, "weights": [float("nan")]}).encode(),
        json.dumps({**FIELDS, "weights": [1e999]}).encode(),
        json.dumps({**FIELDS, "weights": [1, 2]}).encode(),
        b'{"weights": [' + b"9" * 100_000 + b"]}",
        b" " * ((16 << 20) + 1),
    ],
    ids=range(10),
)
def test_a_model_file_that_is_none_is_told_as_that(tmp_path, content):
    rows, model = tmp_path / "rows.csv", tmp_path / "model.json"
    rows.write_text("a\n1\n")
    model.write_bytes(content)
    model.chmod(0o644)
    text = refused("predict", model, rows)
    assert re.search("is not a model file: .*; name one that the demo", text)
    assert "chmod" not in text
    assert len(text) < 1000
