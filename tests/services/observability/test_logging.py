import io
import json
import logging
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import structlog

from protocol.errors import MisuseError
from services.observability.logging import MOST_LOG_BYTES, REDACTED, bound, configure

SECRET = "hunter2hunter2"


@pytest.fixture(autouse=True)
def restore():
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    levels = {name: logging.getLogger(name).level for name in ("services", "protocol")}
    yield
    root.handlers[:], root.level = before
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


def logged(style="json", level="INFO"):
    stream = io.StringIO()
    configure(style=style, level=level, stream=stream)
    return structlog.get_logger("services.test"), stream


def last(stream):
    return json.loads(stream.getvalue().splitlines()[-1])


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_take_them(monkeypatch, environment, coloured):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    stream = Terminal()
    configure(style="console", stream=stream)
    structlog.get_logger("services.test").info("round_completed")
    assert ("\x1b[" in stream.getvalue()) is coloured


def test_json_lines_carry_event_level_time_and_module():
    log, stream = logged()
    log.info("round_completed", round=3, mse="3326.1", deposit=10**18)
    line = last(stream)
    assert (line["event"], line["level"], line["logger"]) == ("round_completed", "info", "services.test")
    assert line["timestamp"].endswith("Z")
    assert (line["round"], line["mse"], line["deposit"]) == (3, "3326.1", 10**18)


@pytest.mark.parametrize(
    "key",
    [
        "signing_key",
        "secret",
        "exchange_secret",
        "passphrase",
        "new_passphrase",
        "password",
        "broker_password",
        "private",
        "private_key",
        "masks",
        "mask_digits",
        "rows",
        "weights",
        "model",
        "plaintext",
        "Plaintexts",
        "residuals",
        "statistic",
    ],
)
@pytest.mark.parametrize("style", ["json", "console"])
def test_secrets_by_name_never_reach_the_log(key, style):
    log, stream = logged(style)
    nested = {"level_one": [{key: SECRET}]}
    log.info("event", **{key: SECRET}, nested=nested, pair=({key: {"deep": SECRET}},))
    log.bind(**{key: SECRET}).warning("event")
    assert SECRET not in stream.getvalue()
    assert stream.getvalue().count(REDACTED) == 4


def test_names_that_hold_no_secret_stay():
    log, stream = logged()
    shown = {"model_buyer": "0xab", "request_hash": "ff", "key_bits": 3072, "row": 7, "pay_weights": "1"}
    log.info("event", **shown)
    assert shown.items() <= last(stream).items()


def test_values_are_shortened_by_type():
    log, stream = logged()
    log.info(
        "event",
        content=SECRET.encode(),
        big=1 << 3000,
        matrix=np.array([float(8675309)]),
        path=Path("a/b"),
        number=0.5,
        nothing=None,
        hexadecimal=f"key {'ab' * 100}.",
        digits=str(1 << 3000),
        long="é" * 30_000,
        error=ValueError("reason"),
    )
    line = last(stream)
    assert (line["content"], line["big"]) == ("[14 bytes]", "[integer of 3001 bits]")
    assert (line["matrix"], line["path"]) == ("[ndarray]", "a/b")
    assert (line["number"], line["nothing"], line["error"]) == (0.5, None, "ValueError: reason")
    assert line["hexadecimal"] == "key [200 digits]."
    assert line["digits"] == "[904 digits]"
    assert line["long"] == "é" * 4_088 + " [30000 characters]"


MIB = 1 << 20
HOSTILE = {
    "one text": "x" * MIB,
    "letters that could begin an address": "a" * MIB,
    "addresses without an end": "a://" * (MIB // 4),
    "digits": "7" * MIB,
    "line ends": "\n" * MIB,
    "signs that JSON writes with twelve": "\U0001f600" * (MIB // 4),
    "control characters": "\x1b[2J" * (MIB // 4),
    "an error's text": ValueError("x" * MIB),
    "a list of texts": ["x" * 1000] * 1000,
    "a list of numbers": list(range(MIB // 10)),
    "a list of nothing": [None] * MIB,
    "lists of lists": [[[]] * 1000] * 1000,
    "a mapping": {f"key {number}": "x" for number in range(MIB // 10)},
    "a mapping with a long name": {"x" * MIB: 1},
}


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_stranger_puts_into_a_field_a_line_stays_short_and_is_soon_written(value, style):
    """What a peer sends is in codes, details and reasons; the loop that logs them has other work, too."""
    log, stream = logged(style)
    began = time.process_time()
    log.info("event", detail=value, after="told all the same")
    assert time.process_time() - began < 0.5
    assert len(stream.getvalue()) < 64 * 1024
    assert "told all the same" in stream.getvalue()


def test_what_is_cut_is_told_with_its_length():
    log, stream = logged()
    log.info("event", text="x" * MIB, many=["x"] * MIB, named={f"{key}": 1 for key in range(MIB)})
    line = last(stream)
    assert line["text"].endswith("x [1048576 characters]")
    assert line["many"][-1] == f"[{MIB - len(line['many']) + 1} more]"
    assert line["named"]["…"] == f"[{MIB - len(line['named']) + 1} more]"


def test_a_value_inside_itself_or_very_deep_is_cut():
    log, stream = logged()
    endless = []
    endless.append(endless)
    deep = ()
    for _ in range(5_000):
        deep = (deep,)
    log.info("event", endless=endless, deep=deep)
    assert len(stream.getvalue()) < 2_000


def test_a_traceback_may_be_longer_and_has_an_end():
    log, stream = logged()
    log.error("failed", exc_info=ValueError("x" * MIB))
    assert 10_000 < len(last(stream)["exception"]) < 20_100


def test_a_text_commands_no_terminal():
    log, stream = logged("console")
    log.info("event", reason="\x1b[2J\x1b]0;owned\x07\x9b1A", detail="a\rb")
    assert not set("\x1b\x07\x9b\r") & set(stream.getvalue())
    assert r"\x1b[2J" in stream.getvalue()


def test_a_password_is_cut_out_where_its_text_is_cut_behind_it():
    log, stream = logged()
    for before in range(4_000, 4_100):
        log.info("event", url="x" * before + f" amqps://buyer:{SECRET}@broker/")
    assert "hunter2" not in stream.getvalue()


def test_credentials_are_cut_out_of_urls_wherever_they_are():
    log, stream = logged()
    url = f"amqps://buyer:{SECRET}@broker:5671/vhost"
    log.warning("cannot reach %s", url, url=url, tried=[url.replace("buyer:", "buyer:p@/")])
    log.error("failed", exc_info=ConnectionError(url))
    assert SECRET not in stream.getvalue()
    assert "amqps://broker:5671/vhost" in last(stream)["exception"]


@pytest.mark.parametrize("style", ["json", "console"])
def test_tracebacks_show_no_local_variable(style):
    log, stream = logged(style)

    def fail(local_value):
        raise ValueError("reason")

    try:
        fail(SECRET)
    except ValueError:
        log.exception("failed")
    assert "ValueError: reason" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_bound_names_reach_every_line_of_the_block_and_no_other():
    log, stream = logged()
    with bound(training=7, round_number=2, message_id=b"\x01" * 16):
        log.info("inside")
        inside = last(stream)
        with bound(round_number=3):
            log.info("deeper")
    assert (inside["training"], inside["round"], inside["message_id"]) == (7, 2, "01" * 16)
    assert (last(stream)["training"], last(stream)["round"]) == (7, 3)
    log.info("outside")
    assert not {"training", "round", "message_id"} & last(stream).keys()


def test_other_libraries_pass_the_same_redaction():
    _, stream = logged()
    other = logging.getLogger("aio_pika.connection")
    other.warning("lost %s", f"amqp://u:{SECRET}@h/")
    other.info("not shown")
    assert last(stream)["event"] == "lost amqp://h/"
    assert len(stream.getvalue().splitlines()) == 1


def test_the_level_is_that_of_our_own_loggers():
    log, stream = logged(level="error")
    log.warning("quiet")
    assert stream.getvalue() == ""
    log.error("loud")
    assert last(stream)["event"] == "loud"


def test_a_level_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(MisuseError, match="no log level 'loud'; choose one of debug, info"):
        configure(level="loud")


def test_configuring_twice_prints_once():
    logged()
    log, stream = logged()
    log.info("event")
    assert len(stream.getvalue().splitlines()) == 1


def test_a_long_log_is_put_aside_while_the_process_runs_and_what_it_prints_follows(tmp_path):
    log = tmp_path / "daemon.log"
    with log.open("wb") as file:
        file.write(b"earlier\n")
        file.truncate(MOST_LOG_BYTES)
    code = (
        "import logging, sys\n"
        "from services.observability.logging import configure\n"
        "configure(file=sys.argv[1])\n"
        "logging.getLogger('services.test').info('after')\n"
        "print('an error at the end', file=sys.stderr)\n"
    )
    with log.open("ab") as output:
        subprocess.run([sys.executable, "-c", code, log], stdout=output, stderr=output, check=True)
    first, second = log.read_text().splitlines()
    assert "after" in first
    assert second == "an error at the end"
    with (tmp_path / "daemon.log.1").open("rb") as aside:
        assert aside.readline() == b"earlier\n"
