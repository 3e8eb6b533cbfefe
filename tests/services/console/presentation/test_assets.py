"""The libraries of the pages are those that were looked at, with their licences, and go into the wheel."""

import hashlib
import re
from pathlib import Path

from services.console.presentation.assets import Assets

VENDOR = Path(__file__).parents[4] / "services" / "console" / "static" / "vendor"
_ROW = re.compile(r"^\| (\S+) \| \S+ \| \S+ \| \S+ \| ([0-9a-f]{64}) \|$", flags=re.MULTILINE)


def test_every_file_has_the_hash_that_is_written_down():
    written = dict(_ROW.findall((VENDOR / "README.md").read_text()))
    found = {
        str(path.relative_to(VENDOR)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path.name != "README.md"
    }
    assert found == written


def test_every_library_has_its_licence():
    for folder in VENDOR.iterdir():
        assert not folder.is_dir() or (folder / "LICENSE").is_file()


def test_an_address_names_its_content():
    assets = Assets()
    asset = assets.by_path["console.css"]
    assert hashlib.sha256(asset.content).hexdigest()[:16] in assets.url("console.css")
    assert not any(path.endswith((".md", "LICENSE")) for path in assets.by_path)
