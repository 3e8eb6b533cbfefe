"""One line for people about each event of the chain, from the facts that daemons keep of events."""

from collections.abc import Mapping
from typing import Any

from services.cli.output import money


def event_line(name: str, data: Mapping[str, Any], most_rounds: int | None = None) -> str:
    """The line, "" for an event that people need not be told; `most_rounds` is the request's bound."""
    line = ""
    match name:
        case "Opened":
            line = f"training {data['training']} opened with a deposit of {money(int(data['deposit']))}"
        case "Joined":
            line = f"owner {data['owner']} joined, seat {data['seat']}"
        case "RolesDrawn":
            trainers, validators = (int(data[part]).bit_count() for part in ("trainers", "validators"))
            line = f"roles drawn: {trainers} train, {validators} validate"
        case "RoundRecorded":
            line = _round_line(data, most_rounds)
        case "Settled":
            paid, refund = money(int(data["paid"])), money(int(data["refund"]))
            line = f"settled: {paid} paid, {refund} back to the buyer"
        case "Cancelled":
            line = f"cancelled: {money(int(data['refund']))} back to the buyer"
    return line


def _round_line(data: Mapping[str, Any], most_rounds: int | None) -> str:
    number, before, after = (int(data[part]) for part in ("round", "mse_before", "mse_after"))
    left = after / before if before else 1.0
    is_early = data["last"] and most_rounds is not None and number < most_rounds
    end = "; the last, it gained less than the tolerance" if is_early else ""
    bound = "" if most_rounds is None else f" of at most {most_rounds}"
    return f"round {number:>3}{bound}: {left:.2%} of the error before is left{end}"
