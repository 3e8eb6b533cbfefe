"""Which modules count as used: whose codes an operator may see."""

import pytest

from tests.support.deployment.reached import reached_modules

SOURCES = {
    "services/start.py": "import protocol.whole.inner\nfrom protocol.named import one",
    "protocol/__init__.py": "",
    "protocol/whole/__init__.py": "from protocol.by_its_package import Thing",
    "protocol/whole/inner.py": "def later():\n    from protocol import within",
    "protocol/named/__init__.py": "",
    "protocol/named/one.py": "",
    "protocol/named/two.py": "from protocol.named import one",
    "protocol/by_its_package.py": "",
    "protocol/within.py": "",
    "protocol/roles/new.py": "",
    "protocol/alone.py": "import protocol.named.two",
}
UNUSED = {"protocol/alone.py", "protocol/named/two.py"}


@pytest.fixture
def root(tmp_path):
    for name, text in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_what_is_imported_by_any_number_of_steps_is_used_and_nothing_else(root):
    assert {str(path.relative_to(root)) for path in reached_modules(root)} == SOURCES.keys() - UNUSED
