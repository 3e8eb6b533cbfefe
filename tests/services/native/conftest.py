"""The C kernel for these tests: its source is the real one, its lanes are plain C."""

from pathlib import Path

import pytest

from services.native.kernel import NativeKernel
from tests.support.native_kernel import PythonKernel, portable_kernel


@pytest.fixture(scope="session")
def kernel(run_folder: Path) -> NativeKernel | PythonKernel:
    return portable_kernel(run_folder)
