# ruff: noqa: INP001
"""Write the dashboards that Grafana is provisioned with: a few lines a panel here, forty in Grafana's format.

python deploy/grafana/source/build.py          write deploy/grafana/dashboards/*.json
python deploy/grafana/source/build.py --check  compare; exit status 1 when they differ
"""

import json
import sys
from pathlib import Path

import daemon
import market
import rabbitmq

FOLDER = Path(__file__).resolve().parents[1] / "dashboards"


def main() -> int:
    """Write or check."""
    stale = []
    for module in (market, daemon, rabbitmq):
        path = FOLDER / f"{module.__name__}.json"
        text = json.dumps(module.made(), indent=1, ensure_ascii=False) + "\n"
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(path.name)
    if stale:
        sys.stderr.write(f"{', '.join(stale)}: stale; run python deploy/grafana/source/build.py\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
