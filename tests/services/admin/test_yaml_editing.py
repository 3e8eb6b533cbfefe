"""One value is changed, and what people wrote around it stays."""

import pytest
import yaml

from services.admin.yaml_editing import set_value, with_value

TEXT = """\
# ours
daemon: aggregator   # the kind
admitted:
- '0x0a'   # the clinic
- '0x0b'

# how it is reached
names: {a: b}
last: 1 # end
"""


def test_comments_and_other_lines_stay():
    changed = with_value(TEXT, "admitted", ["0x0a", "0x0c"])
    assert changed == TEXT.replace("- '0x0a'   # the clinic\n- '0x0b'\n", "- '0x0a'\n- '0x0c'\n")
    assert with_value(TEXT, "names", {"c": "d"}) == TEXT.replace("names: {a: b}", "names:\n  c: d")
    assert with_value(TEXT, "last", 2) == TEXT.replace("last: 1", "last: 2")
    assert with_value(TEXT, "daemon", "x") == TEXT.replace("daemon: aggregator", "daemon: x")
    assert with_value(TEXT, "new", [1]) == TEXT + "new:\n- 1\n"


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        "{admitted: [a], b: 1}\n",
        "admitted: [a,\n  b]\nb: 1",
        "admitted:\n  - a\n  # x\n  - b\n",
        "b: 1",
    ],
)
def test_whatever_way_it_is_written_nothing_else_changes(tmp_path, text):
    file = tmp_path / "config.yaml"
    file.write_text(text)
    before = yaml.safe_load(text)
    assert set_value(file, "admitted", ["é", "0x01"])
    assert yaml.safe_load(file.read_text()) == {**before, "admitted": ["é", "0x01"]}
    assert file.stat().st_mode & 0o077 == 0
    written = file.read_bytes()
    assert not set_value(file, "admitted", ["é", "0x01"])
    assert file.read_bytes() == written
