import json
import os

import pytest
from hypothesis import settings

from contracts import forge
from tests.support.chain.anvil import running_anvil

# A busy machine is no fault of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def forge_output():
    """Reads what forge compiled: the JSON of a contract, by file and name.

    Simply, as the tests are; for `make campaigns` optimized, as the contract that is deployed.
    """
    deployed = "DELTAML_ALL_TABLES" in os.environ
    result = forge.run(["build"], **({} if deployed else forge.SHIPPED))
    assert result.returncode == 0, result.stdout
    out = forge.FOLDER / ("out" if deployed else "cache/shipped/out")

    def read(file: str, contract: str) -> dict:
        # What the tests import too is compiled both ways, and bears the profile's name.
        files = [out / file / f"{contract}{profile}.json" for profile in (".deployed", "")]
        return json.loads(next(path for path in files if path.exists()).read_text())

    return read


@pytest.fixture(scope="session")
def roomy_anvil_url():
    """A node that computes big batches in one call."""
    with running_anvil("--gas-limit", str(10**11)) as url:
        yield url
