"""What hostile messages cost a process each: `python -m tests.support.hostile.measured`.

Reads lines of a message each, `KIND MEBIBYTES HOW`, where HOW is `signed` or `unsigned`. Each is at the door
of a process of its own, so that none finds room that one before has left; all are forked from this one, which
has imported what they need. For each prints the growth of the peak of resident memory in MiB while it is at
the door, the processor seconds that it takes there, and the code of its refusal.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from protocol.errors import ProtocolViolation
from protocol.messages import MESSAGE_TYPES
from services.identity.admission import Admission
from services.identity.directory import Directory
from tests.support.daemons.service_world import MARKET, FakeChain, Person
from tests.support.hostile.bodies import nils
from tests.support.hostile.envelopes import honest, unsigned, with_body


def _mebibytes(field: str) -> float:
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def _count_peak_from_here() -> None:
    Path("/proc/self/clear_refs").write_text("5")


async def _main(kind: str, mebibytes: int, how: str) -> None:
    sender_role, role = MESSAGE_TYPES[kind].catalogue.routes[0]
    sender, recipient = Person(sender_role), Person(role)
    gate = Admission(recipient.identity, MARKET, recipient.role, Directory(FakeChain(sender, recipient)))
    await gate.admit(honest(sender, recipient, kind))
    make = with_body if how == "signed" else unsigned
    delivery = make(sender, recipient, kind, nils(kind, mebibytes << 20))
    _count_peak_from_here()
    before, started, code = _mebibytes("VmRSS"), time.process_time(), "none"
    try:
        await gate.admit(delivery)
    except ProtocolViolation as violation:
        code = violation.code
    seconds, growth = time.process_time() - started, _mebibytes("VmHWM") - before
    sys.stdout.write(json.dumps({"mebibytes": growth, "seconds": seconds, "code": code}) + "\n")
    sys.stdout.flush()


def _in_a_process_of_its_own(kind: str, mebibytes: int, how: str) -> None:
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(_main(kind, mebibytes, how))
        finally:
            os._exit(0)
    os.waitpid(child, 0)


if __name__ == "__main__":
    for line in sys.stdin:
        name, size, form = line.split()
        _in_a_process_of_its_own(name, int(size), form)
