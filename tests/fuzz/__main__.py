"""`make fuzz`: every parser of untrusted bytes under changed inputs, for some minutes in all.

`--parser NAME` searches one alone, `--seed N` makes other inputs. Each parser has a process of its own, which
its inputs may bring down; one that has a fault is written to tests/fuzz/seeds/ and from then on tried by
`make test`.
"""

import argparse
import hashlib
import multiprocessing
import pickle
import sys
import tempfile
from pathlib import Path

from tests.fuzz.catalogue import all_parsers
from tests.fuzz.search import SEEDS, Report, search


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="for all parsers together")
    parser.add_argument("--parser", choices=all_parsers(), help="this one alone")
    parser.add_argument("--seed", type=int, default=0, help="what the inputs are drawn from")
    options = parser.parse_args()
    names = [options.parser] if options.parser else list(all_parsers())
    reports = []
    for name in names:
        report = _in_a_process(name, 60 * options.minutes / len(names), options.seed)
        _keep(report)
        reports.append(report)
    _show(reports)
    return int(any(report.findings for report in reports))


def _in_a_process(name: str, seconds: float, seed: int) -> Report:
    with tempfile.TemporaryDirectory(prefix="deltaml-fuzz-") as folder:
        work = Path(folder)
        # Forked: what the parsers import is imported once.
        process = multiprocessing.get_context("fork").Process(target=_work, args=(name, seconds, seed, work))
        process.start()
        process.join()
        if process.exitcode == 0:
            return pickle.loads((work / "report").read_bytes())  # type: ignore[no-any-return]
        found = (work / "last").read_bytes()
        return Report(name, executions=1, findings={f"the process ended with {process.exitcode}": found})


def _work(name: str, seconds: float, seed: int, work: Path) -> None:
    report = search(all_parsers()[name], seconds, seed, work / "last")
    (work / "report").write_bytes(pickle.dumps(report))


def _keep(report: Report) -> None:
    for problem, content in report.findings.items():
        place = SEEDS / report.parser / hashlib.sha256(content).hexdigest()[:16]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        sys.stdout.write(f"{report.parser}: {problem}\n  {place}\n")
    sys.stdout.write(_row(report) + "\n")
    sys.stdout.flush()


def _row(report: Report) -> str:
    counts = (report.executions, report.accepted, len(report.endings), len(report.findings))
    return f"{report.parser:<28} " + " ".join(f"{count:>10}" for count in counts)


def _show(reports: list[Report]) -> None:
    total = Report("all")
    for report in reports:
        total.executions += report.executions
        total.accepted += report.accepted
        total.endings += report.endings
        total.findings |= {f"{report.parser}: {name}": it for name, it in report.findings.items()}
    columns = " ".join(f"{one:>10}" for one in ("inputs", "accepted", "endings", "findings"))
    sys.stdout.write(f"\n{'parser':<28} {columns}\n")
    for report in (*reports, total):
        sys.stdout.write(_row(report) + "\n")


if __name__ == "__main__":
    sys.exit(main())
