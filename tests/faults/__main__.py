"""`make faults`: every scenario, or those that are named.

`--seed N` replays one, `--fault CLASS` runs a class, `--short` runs one or two of each class.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict

import uvloop

from tests.faults.plan import CLASSES, SCENARIOS, SHORT, scenario
from tests.faults.processes import start_server
from tests.faults.runner import Result, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", type=int, action="append", help="this scenario; may be given several times")
    parser.add_argument("--fault", choices=CLASSES, help="the scenarios of one class")
    parser.add_argument("--short", action="store_true", help=f"the first {SHORT} scenarios")
    parser.add_argument("--first", type=int, default=0, help="the seed to begin with")
    parser.add_argument("--markets", type=int, default=5, help="markets side by side")
    parser.add_argument("--named-broker", action="store_true", help="on the broker of DELTAML_AMQP_URL")
    parser.add_argument("--json", action="store_true", help="one JSON object for each scenario")
    options = parser.parse_args()
    start_server()
    if options.json:
        threading.Thread(target=_end_with_caller, daemon=True).start()
    results: list[Result] = []

    def report(result: Result) -> None:
        results.append(result)
        _show(result, as_json=options.json)

    started = time.monotonic()
    seeds = _seeds(options)
    markets = min(options.markets, len(seeds))
    uvloop.run(run(seeds, markets, report, named_broker=options.named_broker))
    if not options.json:
        _summary(results, time.monotonic() - started)
    return int(any(result.error for result in results))


def _end_with_caller() -> None:
    """Whoever reads the results holds our standard input open; when it is gone, so are they."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _seeds(options: argparse.Namespace) -> list[int]:
    if options.seed is not None:
        return options.seed
    count = SHORT if options.short else len(SCENARIOS)
    seeds = range(options.first, options.first + count)
    return [seed for seed in seeds if options.fault in (None, scenario(seed)[0])]


def _show(result: Result, *, as_json: bool) -> None:
    if as_json:
        _say(json.dumps(asdict(result)))
        return
    verdict = "WRONG" if result.error else result.outcome
    said = (
        f"seed {result.seed:<4} {result.fault:<20} {verdict:<28} {result.seconds:5.1f} s  {result.evidence}"
    )
    _say(f"{said}\n{result.error}".rstrip())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _summary(results: list[Result], seconds: float) -> None:
    columns = ("scenarios", "finished", "failed cleanly", "wrong")
    _say(f"\n{'class':<20} " + " ".join(f"{one:>14}" for one in columns))
    for name in [*CLASSES, "all"]:
        of_class = [one for one in results if name in (one.fault, "all")]
        kinds = Counter(_kind(one) for one in of_class)
        _say(f"{name:<20} {len(of_class):>14} " + " ".join(f"{kinds[one]:>14}" for one in columns[1:]))
    _say(f'\n{seconds:.0f} s; replay a scenario with make faults ARGS="--seed N"')


def _kind(result: Result) -> str:
    if result.error:
        return "wrong"
    return "finished" if result.outcome == "FINISHED" else "failed cleanly"


if __name__ == "__main__":
    sys.exit(main())
