import pytest

from protocol.errors import MisuseError
from services.common.documents import load_request, read_yaml
from services.common.errors import ConfigurationError


def write(tmp_path, content):
    path = tmp_path / "document.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_addresses_stay_text_and_other_numbers_do_not(tmp_path):
    path = write(tmp_path, "address: 0x00000000000000000000000000000000000000AB\nwhole: 12\npart: 1.5\n")
    assert read_yaml(path) == {
        "address": "0x00000000000000000000000000000000000000AB",
        "whole": 12,
        "part": 1.5,
    }


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
        ("a: " + "[" * 1000, "line 1, column 22: more than 20 levels"),
        ("a: 2024-13-45\n", "is not YAML text"),
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
    for part in (str(path), "rounds", "features", "schedule"):
        assert part in str(refused.value)
