"""Where a command fails it says why in one line, and nothing else: no log, no warning of a library."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deltaml.participant_files import participant
from tests.support.deployment.documents import any_request

ROOT = Path(__file__).parents[3]
PROGRAM = """
import json, logging, os, sys, tempfile, warnings

import structlog

from services.cli import main

def outputs(command):
    kept = [os.dup(number) for number in (1, 2)]
    files = [tempfile.TemporaryFile() for _ in kept]
    for number, file in zip((1, 2), files):
        os.dup2(file.fileno(), number)
    sys.argv = ["deltaml", *command]
    try:
        main()
        status = 0
    except SystemExit as ended:
        status = ended.code
    for number, old in zip((1, 2), kept):
        os.dup2(old, number)
    texts = []
    for file in files:
        file.seek(0)
        texts.append(file.read().decode())
    return [status, *texts]

told = [outputs(command) for command in json.loads(sys.stdin.read())]
logging.getLogger("aio_pika").error("a library's error")
logging.getLogger("asyncio").error("Task exception was never retrieved")
warnings.warn("a library's warning")
structlog.get_logger("services.bus").warning("publish_again")
print(json.dumps(told))
"""


@pytest.fixture
def files(tmp_path):
    """Configurations of three parties whose broker and node do not answer."""
    made = {}
    for kind in ("model-buyer", "data-owner", "aggregator"):
        config, _address, store = participant(tmp_path, kind)
        store.close()
        made[kind] = str(config)
    (tmp_path / "request.yaml").write_text(json.dumps(any_request().model_dump(mode="json")))
    (tmp_path / "damaged.sqlite").write_text("no database, but long enough to be looked at" * 50)
    (tmp_path / "wrong").write_text("another passphrase\n")
    (tmp_path / "wrong").chmod(0o600)
    (tmp_path / "bad.yaml").write_text("daemon: data-owner\nbroker: {}\n")
    return made


def test_every_way_to_fail_is_one_line(files, tmp_path):
    owner, contract, nowhere = files["data-owner"], "0x" + "c0" * 20, "http://127.0.0.1:1"
    keys, passphrase = str(tmp_path / "data-owner-keys"), str(tmp_path / "passphrase")
    expected = {
        ("withdraw", "--force", "--config", owner): "the broker at 127.0.0.1:1 does not answer",
        ("train", str(tmp_path / "request.yaml"), "--config", files["model-buyer"]): "the broker at",
        ("market", "cards", "--aggregator", contract, "--config", files["model-buyer"]): "the broker at",
        ("stop", "1", "--config", files["aggregator"]): "the broker at 127.0.0.1:1 does not answer",
        ("admin", "contract", "show", "--chain", nowhere, "--contract", contract): "no answer from the node",
        (
            *("admin", "contract", "deploy", "--chain", nowhere),
            *("--keystore", keys, "--passphrase-file", passphrase),
        ): "no answer from the node",
        ("keys", "rotate", "--keystore", keys, "--passphrase-file", str(tmp_path / "wrong")): "passphrase",
        ("show", "--store", str(tmp_path / "damaged.sqlite")): "is not a daemon's store",
        ("show", "--store", "postgresql://owner@127.0.0.1:1/deltaml"): "does not answer",
        ("earnings", "--config", str(tmp_path / "bad.yaml")): "bad.yaml cannot be used",
        ("health", "--config", owner): "has no metrics_port",
    }
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        input=json.dumps(list(expected)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stderr == ""
    told = json.loads(process.stdout)
    for (command, reason), (status, out, err) in zip(expected.items(), told, strict=True):
        assert out == "", command
        assert err.startswith("error: "), (command, err)
        assert reason in err, (command, err)
        assert status in (2, 3), command
        if "cannot be used" not in reason:  # a line for each key
            assert err.count("\n") == 1, (command, err)
