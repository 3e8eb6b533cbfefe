"""`make adversaries`: each declared adversary against a checked market, and against one without its check."""

import argparse
import sys
from collections import Counter
from time import process_time

from tests.adversaries.catalogue import ALL
from tests.adversaries.declaration import Adversary
from tests.adversaries.run import Report, run, run_unchecked


def main() -> int:
    parser = argparse.ArgumentParser(prog="make adversaries", description=__doc__)
    parser.add_argument("--only", default="", help="those whose name or part has these letters")
    parser.add_argument("--checked", action="store_true", help="with all checks alone")
    options = parser.parse_args()
    reports = []
    for adversary in ALL:
        if options.only in f"{adversary.who}: {adversary.name}":
            reports += _reports(adversary, with_switch=not options.checked)
    _show_table(reports)
    return int(any(report.differences for report in reports))


def _reports(adversary: Adversary, *, with_switch: bool) -> list[Report]:
    found = [_timed(adversary, run)]
    if with_switch and adversary.switch:
        found.append(_timed(adversary, run_unchecked))
    return found


def _timed(adversary: Adversary, how: object) -> Report:
    began = process_time()
    report: Report = how(adversary)  # type: ignore[operator]
    off = f" [without {adversary.switch.name}]" if how is run_unchecked and adversary.switch else ""
    sys.stdout.write(f"{process_time() - began:5.1f} s {report.line()}{off}\n")
    sys.stdout.flush()
    return report


def _show_table(reports: list[Report]) -> None:
    rows = [("adversary", "does", "seen by", "named", "left out", "money", "learns")]
    seen = {report.adversary.name: report.adversary for report in reports}
    rows += [_row(one) for one in seen.values()]
    for row in rows:
        sys.stdout.write("| " + " | ".join(row) + " |\n")
    switched = sum(one.switch is not None for one in seen.values())
    parts = Counter(one.who for one in seen.values())
    told = ", ".join(f"{count} {who}" for who, count in parts.items())
    wrong = sum(bool(report.differences) for report in reports)
    sys.stdout.write(
        f"{len(seen)} adversaries ({told}), {switched} of them also without their check; "
        f"{wrong} of {len(reports)} runs are not as declared\n"
    )


def _row(one: Adversary) -> tuple[str, ...]:
    yes = {True: "yes", False: "no"}
    return (
        f"{one.who}: {one.name}",
        one.does,
        "; ".join(one.caught) or "nobody",
        yes[one.named],
        yes[one.left_out],
        one.money.value,
        one.learned.value,
    )


if __name__ == "__main__":
    raise SystemExit(main())
