import re
from pathlib import Path

import pytest
import rfc8785

from protocol.errors import MisuseError
from services.common.documents import load_request, read_yaml
from services.common.errors import ConfigurationError
from tests.support.deployment.documents import any_request


def write(tmp_path, content):
    path = tmp_path / "document.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


CHECKSUMMED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def test_an_address_is_one_in_every_case_it_comes_in(tmp_path):
    for written in (CHECKSUMMED, CHECKSUMMED.lower(), f"0x{CHECKSUMMED[2:].upper()}", f"'{CHECKSUMMED}'"):
        document = read_yaml(write(tmp_path, f"a: {written}\nb: [{written}]\n{written}: 1\n"))
        assert document == {"a": CHECKSUMMED.lower(), "b": [CHECKSUMMED.lower()], CHECKSUMMED.lower(): 1}
    with pytest.raises(ConfigurationError, match=r"line 2, column 4: the address 0x5AAeb.* wrong checksum"):
        read_yaml(write(tmp_path, f"b: 1\na: {CHECKSUMMED.replace('aA', 'AA', 1)}\n"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("12", 12), ("-3", -3), ("0", 0), ("1.5", 1.5), (".5", 0.5), ("0.10", 0.1), ("1.5e-3", 0.0015)),
        *(("true", True), ("false", False), ("null", None), ("", None), ("1e3", "1e3"), ("0x10", "0x10")),
        *(("'010'", "010"), ('"NO"', "NO"), ("'1:30'", "1:30"), ("'~'", "~"), ("north", "north")),
    ],
)
def test_what_can_be_read_in_one_way_is(tmp_path, text, value):
    read = read_yaml(write(tmp_path, f"a: {text}\n"))["a"]
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        *("010", "08", "-07", "1:30", "1:30.5", "1_000", "1_0.5", "0b11", "+3", "010.5", ".inf", ".nan"),
        *("NO", "no", "yes", "Off", "on", "True", "~", "NULL", "2026-01-02", "2024-13-45", "=", "1.0e+999"),
    ],
)
@pytest.mark.parametrize("document", ["a: {}\n", "a: [1, {}]\n", "{}: 1\n"])
def test_what_yaml_reads_otherwise_than_people_is_refused_by_name(tmp_path, document, text):
    with pytest.raises(ConfigurationError, match="can be read in several ways; ") as refused:
        read_yaml(write(tmp_path, document.format(text)))
    assert f"{text!r}" in str(refused.value)
    assert "line 1, column" in str(refused.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", "line 1, column 1: key 'a' is given twice"),
        ("a: {b: 1, b: 2}\n", "line 1, column 4: key 'b' is given twice"),
        ("a: &x [1]\nb: *x\n", "aliases are not allowed"),
        ("a: [1\nb: 2\n", "line 2"),
        ("a: !!python/object/apply:os.getcwd []\n", "line 1, column 4"),
        ("- a\n", "must hold fields"),
        ("1: a\n", "must hold fields"),
        ("", "must hold fields"),
        (b"\xff\xfe\x00", "is not YAML text"),
        ("a: " + "[" * 1000, "more than 20 levels"),
        ("a: {<<: {b: 1}}\n", "'<<' can be read in several ways"),
        ("a: !!int '010'\n", "tags are not allowed"),
        ("a: !!binary aGk=\n", "tags are not allowed"),
        ("a: !own {b: 1}\n", "tags are not allowed"),
        ("a: [" + "1," * 50_001 + "]", "50000 keys and values"),
        ("\n".join(f"k{i}: 1" for i in range(4_000)) + "\nk3999: 2\n", "key 'k3999' is given twice"),
        ("#" * (1 << 20) + "\na: 1\n", "is longer than"),
    ],
)
def test_documents_that_cannot_be_trusted_are_refused_with_their_place(tmp_path, content, says):
    path = write(tmp_path, content)
    with pytest.raises(ConfigurationError) as refused:
        read_yaml(path)
    assert says in str(refused.value)
    assert str(path) in str(refused.value)


def test_files_that_cannot_be_read_are_named(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no file"):
        read_yaml(tmp_path / "missing.yaml")
    with pytest.raises(ConfigurationError, match="cannot read"):
        read_yaml(tmp_path)


def test_a_wrong_request_names_its_file_and_fields(tmp_path):
    path = write(tmp_path, "name: diabetes\nrounds: 3\n")
    with pytest.raises(MisuseError) as refused:
        load_request(path)
    for part in (str(path), "rounds", "features", "payment"):
        assert part in str(refused.value)


def test_the_columns_of_a_request_are_named_in_the_form_that_data_sets_have(tmp_path):
    sample = (Path(__file__).parents[3] / "REQUEST.yaml").read_text()
    path = write(tmp_path, sample.replace("bmi", "cafe\u0301"))
    assert "caf\u00e9" in [column.name for column in load_request(path).features]


def test_the_targets_that_the_sample_names_in_a_comment_are_read_as_they_stand(tmp_path):
    sample = (Path(__file__).parents[3] / "REQUEST.yaml").read_text()
    [comment] = re.findall(r"^# Of a classification (.*)$", sample, re.MULTILINE)
    sample = sample.replace("kind: linear_regression", "kind: binary_classification")
    sample = re.sub(r"\nstart:.*", "\nstart: { start: mean, value: 0.5 }", sample)
    targets = [
        load_request(write(tmp_path, re.sub(r"\ntarget: {.*", f"\ntarget: {target}", sample))).target
        for target in re.findall(r"{.*?}", comment)
    ]
    assert [(one.name, one.level) for one in targets] == [("ill", None), ("species", "setosa")]


@pytest.mark.parametrize(
    ("deposit", "wei"),
    [("1 ETH", 10**18), ("'0.1eth'", 10**17), ("5000000 gwei", 5 * 10**15), ("7e6 wei", 7000000)],
)
def test_a_deposit_may_be_written_with_its_unit(tmp_path, deposit, wei):
    sample = (Path(__file__).parents[3] / "REQUEST.yaml").read_text()
    path = write(tmp_path, re.sub("deposit_wei: \\S+", f"deposit: {deposit}", sample))
    assert load_request(path).payment.deposit_wei == wei


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("deposit: 1", "payment.deposit: '1' has no unit; write it with one: 0.1 ETH, 5 gwei, 100 wei"),
        ("deposit: '1'", "payment.deposit: '1' has no unit"),
        ("deposit: null", "payment.deposit: 'None' has no unit"),
        ("deposit: 1 btc", "payment.deposit: '1 btc' is not an amount of ether"),
        ("deposit: 1 ETH\n  deposit_wei: '5'", "payment.deposit and payment.deposit_wei are both given"),
    ],
)
def test_a_deposit_that_cannot_be_read_is_refused(tmp_path, line, said):
    sample = (Path(__file__).parents[3] / "REQUEST.yaml").read_text()
    path = write(tmp_path, re.sub("deposit_wei: \\S+", line, sample))
    with pytest.raises(MisuseError) as refused:
        load_request(path)
    assert said in str(refused.value)


TOKEN = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def test_a_deposit_in_a_token_is_in_its_smallest_units(tmp_path):
    sample = (Path(__file__).parents[3] / "REQUEST.yaml").read_text()
    sample = re.sub(r"  token: \S+", f"  token: {TOKEN}", sample)
    payment = load_request(write(tmp_path, sample)).payment
    assert (payment.deposit_wei, payment.token) == (10**18, TOKEN.lower())
    path = write(tmp_path, re.sub(r"deposit_wei: \S+", "deposit: 1 ETH", sample))
    with pytest.raises(MisuseError, match=r"with payment.token give payment.deposit_wei"):
        load_request(path)


def test_a_request_in_ether_without_bonds_has_the_hash_that_it_had_before_there_were_tokens_and_bonds():
    document = any_request().model_dump(mode="json")
    payment = {k: v for k, v in document["payment"].items() if k not in ("token", "bonds")}
    without = {**document, "payment": payment}
    assert any_request().canonical() == rfc8785.dumps(
        {name: value for name, value in without.items() if value or name not in ("purpose", "licence")}
    )
