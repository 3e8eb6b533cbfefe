"""Standard output and error as processes have them: closed, full, broken, not UTF-8."""

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from services.cli.standard_streams import visible

BEGIN = "from services.cli.standard_streams import standard_streams; import sys, typer\n"
TABLES = "from services.cli.output import print_table\n"
FULL = Path("/dev/full")


def ended(code, *, encoding="utf-8", **options):
    """What a process wrote and how it ended that ran this inside the streams."""
    indented = "".join(f"    {line}\n" for line in code.splitlines())
    return subprocess.run(
        [sys.executable, "-c", f"{BEGIN}with standard_streams():\n{indented}"],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path.cwd())},
        check=False,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options,
    )


def test_what_can_be_written_is_as_it_was():
    process = ended("typer.echo('→ é'); print('²', file=sys.stderr); sys.exit(7)")
    assert (process.stdout, process.stderr, process.returncode) == ("→ é\n".encode(), "²\n".encode(), 7)


@pytest.mark.parametrize(
    ("encoding", "written"), [("ascii", rb"-> 2 x R^2 \xe9 ..."), ("latin-1", b"-> 2 \xd7 R\xb2 \xe9 ...")]
)
def test_signs_that_a_terminal_lacks_are_written_in_ascii_by_whatever_writes(encoding, written):
    text = "→ 2 × R² é …"
    code = (
        f"typer.echo({text!r}); print({text!r}); sys.stdout.write({text!r})\ntyper.echo({text!r}, err=True)"
    )
    process = ended(code, encoding=encoding)
    assert process.stdout.splitlines() == [written] * 3
    assert process.stderr.splitlines() == [written]


def test_tables_keep_their_shape_in_ascii():
    code = (
        "from services.cli.output import print_table\nprint_table(('a', 'b'), [('1', '→'), ('x' * 90, '…é')])"
    )
    process = ended(code, encoding="ascii")
    lines = process.stdout.decode("ascii").splitlines()
    assert lines[0].startswith("+-")
    assert len({len(line) for line in lines}) == 1
    assert "x" * 30 in process.stdout.decode()
    assert process.returncode == 0


def test_json_says_the_same_in_every_encoding():
    value = {"name": "Größe → é", "path": "\udcff"}
    for encoding in ("ascii", "latin-1", "utf-8"):
        code = f"from services.cli.output import print_json\nprint_json({value!r})"
        process = ended(code, encoding=encoding)
        assert json.loads(process.stdout.decode(encoding)) == value


def test_a_document_is_utf_8_wherever_it_goes():
    code = "from services.cli.standard_streams import document_stream\ndocument_stream().write('é →')"
    assert ended(code, encoding="ascii").stdout == "é →".encode()


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_name_that_is_no_text_is_written_all_the_same(encoding):
    process = ended(r"typer.echo('\udcff'); typer.echo('\udcff', err=True)", encoding=encoding)
    assert process.stdout == process.stderr == rb"\udcff" + b"\n"


@pytest.mark.parametrize(
    "code", ["print('x')", "sys.stdout.write('x' * 100_000)", "typer.echo('x'); print('y')"]
)
def test_a_full_disk_is_an_error_and_a_status(code):
    with FULL.open("wb") as full:
        process = ended(code, stdout=full)
    assert process.returncode == 3
    assert process.stderr.decode().count("\n") == 1
    assert "error: standard output cannot be written (No space left on device): " in process.stderr.decode()


def test_a_reader_that_has_gone_is_an_error_and_a_status():
    reader, writer = os.pipe()
    os.close(reader)
    process = ended("while True: print('x' * 1000)", stdout=writer)
    os.close(writer)
    assert process.returncode == 3
    assert process.stderr.decode().startswith("error: standard output cannot be written (Broken pipe): ")
    assert process.stderr.decode().count("\n") == 1


def test_a_closed_output_is_an_error_where_something_is_written_and_no_file_takes_its_number():
    closing = "import os; os.close(1); os.execv(sys.executable, [sys.executable, '-c', {code!r}])"
    opening = "file = open('/dev/null'); print(file.fileno(), file=sys.stderr)"
    code = f"{BEGIN}with standard_streams():\n    {opening}"
    silent = ended(closing.format(code=code))
    assert silent.returncode == 0
    assert int(silent.stderr) > 2
    told = ended(closing.format(code=f"{code}\n    print('x')"))
    assert told.returncode == 3
    assert b"cannot be written (Bad file descriptor)" in told.stderr


def test_an_error_output_that_cannot_be_written_changes_nothing_else():
    code = "typer.echo('x', err=True); print('y', file=sys.stderr); print('z'); sys.exit(7)"
    with FULL.open("wb") as full:
        process = ended(code, stderr=full)
    assert (process.stdout, process.returncode) == (b"z\n", 7)
    closing = "import os; os.close(2); os.execv(sys.executable, [sys.executable, '-c', {code!r}])"
    process = ended(closing.format(code=f"{BEGIN}with standard_streams():\n    {code}"))
    assert (process.stdout, process.returncode) == (b"z\n", 7)


def test_an_output_that_does_not_block_is_waited_for():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    code = "for number in range(50_000): print(number)"
    indented = f"{BEGIN}with standard_streams():\n    {code}"
    with subprocess.Popen([sys.executable, "-c", indented], stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        with os.fdopen(reader, "rb") as output:
            assert output.read().split() == [b"%d" % number for number in range(50_000)]
        assert process.wait() == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_what_moves_a_terminal_is_escaped_and_what_people_write_is_not():
    assert visible("a\x1b[2Jb\rc\u202ed\ne") == "a\\x1b[2Jb\\rc\\u202ed\ne"
    assert visible("ñ → 測定 😀 x²") == "ñ → 測定 😀 x²"
    assert visible(unicodedata.normalize("NFD", "é")) == unicodedata.normalize("NFD", "é")
