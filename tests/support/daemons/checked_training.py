"""A checked training by processes: whether it is in the middle of its checks, and whether it verifies."""

from contextlib import closing

from protocol.roles.dispatch import decode_state
from tests.support.daemons.daemon_market import DaemonMarket


def is_checking(market: DaemonMarket) -> bool:
    """Whether the buyer has multiplied masked weights for a round that is not yet opened."""
    with closing(market.store("buyer")) as store:
        states = [decode_state("model_buyer", row.state) for row in store.instances()]
    return any(state.phase == "running" and state.exchanges for state in states)


def verify_transcript(market: DaemonMarket, name: str, rounds: int) -> None:
    """Kills, redeliveries and all: what a daemon has kept shows a training in which all is in order."""
    file = market.folder / f"{name}.transcript"
    written = market.command("transcript", "1", "--config", str(market.config(name)), "--out", str(file))
    report = market.command("verify", "1", "--transcript", str(file), "--config", str(market.config(name)))
    assert report["failure"] is None
    assert report["entries"] == written["entries"]
    assert [one["round"] for one in report["rounds"]] == list(range(1, rounds + 1))
    counts = {one["name"]: one["count"] for one in report["checks"]}
    # A trainer tells its last head with the last round's update, before all that follows from it is kept.
    assert 0 < counts["entries under a head that was told"] < report["entries"]
