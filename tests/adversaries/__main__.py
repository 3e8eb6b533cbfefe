"""`make adversaries`: each declared adversary against a checked market, and against one without its check.

`make adversaries ARGS="pairs --seed 1"`: random pairs of an adversary and a fault, with all checks, in
trainings with bonds. `make adversaries ARGS="wild --seed 1"`: adversaries that change at random what they
send, with `--repeating` around a round that is repeated.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from time import process_time

from tests.adversaries.catalogue import ALL
from tests.adversaries.declaration import Adversary
from tests.adversaries.pairs import Pair, drawn_pairs
from tests.adversaries.run import Report, run, run_unchecked
from tests.adversaries.wild import Wild


def main() -> int:
    parser = argparse.ArgumentParser(prog="make adversaries", description=__doc__)
    parser.add_argument("--only", default="", help="those whose name or part has these letters")
    parser.add_argument("--checked", action="store_true", help="with all checks alone")
    _add_kinds(parser)
    options = parser.parse_args()
    if options.what == "pairs":
        return _play_pairs(drawn_pairs(options.seed, options.count))
    if options.what == "wild":
        seeds = range(options.seed, options.seed + options.count)
        return _play_wild([Wild(seed, options.repeating) for seed in seeds])
    reports = []
    for adversary in ALL:
        if options.only in f"{adversary.who}: {adversary.name}":
            reports += _reports(adversary, with_switch=not options.checked)
    _show_table(reports)
    return int(any(report.differences for report in reports))


def _add_kinds(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(dest="what")
    pairs = kinds.add_parser("pairs", help="random pairs with a fault")
    pairs.add_argument("--seed", type=int, default=1, help="from which pairs and faults follow")
    pairs.add_argument("--count", type=int, default=100, help="of pairs")
    wild = kinds.add_parser("wild", help="random changes of what one party sends")
    wild.add_argument("--seed", type=int, default=1, help="of the first; the next has the next")
    wild.add_argument("--count", type=int, default=100, help="of adversaries")
    wild.add_argument("--repeating", action="store_true", help="beside a bad trainer: a round is repeated")


def _play_wild(adversaries: Sequence[Wild]) -> int:
    """A row for each with which something is not as it must be, and how many there are."""
    wrong = 0
    for one in adversaries:
        found = one.findings()
        wrong += bool(found)
        if found:
            sys.stdout.write(f"seed {one.seed}: {'; '.join(found)}\n")
            sys.stdout.flush()
    sys.stdout.write(
        f"{len(adversaries)} wild adversaries; with {wrong} of them something is not as it must be\n"
    )
    return int(wrong > 0)


def _play_pairs(pairs: Sequence[Pair]) -> int:
    """A row for each, and how many are not as declared."""
    wrong = 0
    sys.stdout.write("| fault | adversary | s | found |\n| --- | --- | ---: | --- |\n")
    for pair in pairs:
        began, report = process_time(), pair.run()
        wrong += bool(report.differences)
        adversary, found = pair.adversary, "; ".join(report.differences) or "as declared"
        row = f"| {pair.fault} | {adversary.who}: {adversary.name} | {process_time() - began:.1f} | {found} |"
        sys.stdout.write(row + "\n")
        sys.stdout.flush()
    sys.stdout.write(f"{len(pairs)} pairs; {wrong} of them are not as declared\n")
    return int(wrong > 0)


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
