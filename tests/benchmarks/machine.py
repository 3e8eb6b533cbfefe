"""What the figures were measured on."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import gmpy2
from phe.util import HAVE_GMP
from pydantic import BaseModel


class MachineReport(BaseModel):
    """The processor, and the libraries that the figures depend on."""

    processor: str
    cores: int
    load_before: float
    python: str
    gmpy2: str
    gmp: str
    phe: str
    phe_uses_gmpy2: bool
    numpy: str


def describe() -> MachineReport:
    """This machine."""
    return MachineReport(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        load_before=os.getloadavg()[0],
        python=platform.python_version(),
        gmpy2=version("gmpy2"),
        gmp=gmpy2.mp_version(),
        phe=version("phe"),
        phe_uses_gmpy2=bool(HAVE_GMP),
        numpy=version("numpy"),
    )


def _processor() -> str:
    """The name in Linux' cpuinfo, or whatever the platform calls it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
