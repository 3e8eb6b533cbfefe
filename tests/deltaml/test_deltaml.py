import subprocess
import sys

import pytest

import deltaml
from deltaml.optional import extra

_ALONE = """
import sys
import deltaml
print(sorted({name.partition(".")[0] for name in sys.modules} & {"numpy", "protocol", "services", "sklearn"}))
"""


def test_importing_it_loads_nothing_else():
    found = subprocess.run([sys.executable, "-c", _ALONE], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"


def test_names_are_those_that_the_package_lists():
    assert dir(deltaml) == deltaml.__all__
    assert all(getattr(deltaml, name) is not None for name in deltaml.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'; it has "):
        _ = deltaml.nothing


def test_a_package_that_is_not_installed_is_told_with_the_remedy():
    with (
        pytest.raises(ImportError, match=r"sklearn is not installed; run: pip install 'deltaml\[python\]'"),
        extra(),
    ):
        raise ModuleNotFoundError("No module named 'sklearn.base'", name="sklearn.base")
    with pytest.raises(ModuleNotFoundError, match="other"), extra():
        raise ModuleNotFoundError("No module named 'other'", name="other")
