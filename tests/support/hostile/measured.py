"""What one hostile message costs a process: `python -m tests.support.hostile.measured KIND MEBIBYTES HOW`.

Prints the growth of the peak of resident memory in MiB while the message is at the door, the seconds that it
takes there, and the code of its refusal. HOW is `signed` or `unsigned`.
"""

import asyncio
import json
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
    sys.stdout.write(json.dumps({"mebibytes": growth, "seconds": seconds, "code": code}))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
