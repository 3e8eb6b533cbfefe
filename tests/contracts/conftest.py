import json

import pytest
from hypothesis import settings

from contracts import forge
from tests.support.chain.anvil import running_anvil

# A busy machine is no fault of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def forge_output():
    """Reads what forge compiled: the JSON of a contract, by file and name."""
    result = forge.run(["build"])
    assert result.returncode == 0, result.stdout

    def read(file: str, contract: str) -> dict:
        return json.loads((forge.FOLDER / "out" / file / f"{contract}.json").read_text())

    return read


@pytest.fixture(scope="session")
def roomy_anvil_url():
    """A node that computes big batches in one call."""
    with running_anvil("--gas-limit", str(10**11)) as url:
        yield url
