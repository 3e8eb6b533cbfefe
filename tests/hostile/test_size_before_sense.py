"""Whatever a message holds, its size is looked at before its sense, and nothing grows with what it says."""

import asyncio
import json
import sys

import pytest


@pytest.mark.parametrize(
    ("kind", "mebibytes", "how", "most_mebibytes"),
    [
        ("complaint", 1, "signed", 16),
        ("complaint", 16, "unsigned", 64),
        ("complaint", 16, "signed", 96),
        ("metric_products", 16, "signed", 96),
        ("model_request", 16, "unsigned", 4),
    ],
)
async def test_nils_cost_no_more_than_their_bytes(kind, mebibytes, how, most_mebibytes):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.hostile.measured", kind, str(mebibytes), how),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    found = json.loads(output)
    assert found["code"] == ("oversized" if kind == "model_request" else "malformed")
    assert found["mebibytes"] < most_mebibytes
    assert found["seconds"] < 1
