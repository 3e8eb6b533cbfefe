"""The package is tried as in a program that has set up nothing of structlog, whatever ran before."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def _unconfigured_log() -> None:
    structlog.reset_defaults()
