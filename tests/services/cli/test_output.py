from services.cli.output import print_result
from services.cli.tables import print_table


def test_names_with_brackets_are_no_markup_anywhere_in_a_table(capsys):
    print_table(("name",), [("[/x] :smile: [red]",)], title="request '[/b]'")
    shown = capsys.readouterr().out
    assert "[/x] :smile: [red]" in shown
    assert "request '[/b]'" in shown


def test_names_cannot_move_or_recolour_a_terminal(capsys):
    print_table(("name",), [("a\x1b[31m",), (["b\u202e", "c"],)], title="t\x07")
    print_result({}, "d\x1b[2J", json=False)
    shown = capsys.readouterr().out
    assert not set(shown) & set("\x1b\x07\u202e")
    for part in ("a\\x1b[31m", "b\\u202e c", "t\\x07", "d\\x1b[2J"):
        assert part in shown


def test_a_table_leaves_out_no_column_however_narrow_the_terminal(capsys, monkeypatch):
    cells = ("abc", "123", "de", "2026-01-01", "/f/g")
    for width in ("20", "1", "0"):
        monkeypatch.setenv("COLUMNS", width)
        print_table(("one", "two", "three", "four", "five"), [cells])
        shown = capsys.readouterr().out
        assert all(sign in shown for sign in "".join(cells)), shown


def test_a_title_is_one_line_even_over_a_narrow_table(capsys):
    print_table(("n",), [("1",)], title="mean squared errors in the target's units, squared")
    assert capsys.readouterr().out.splitlines()[0] == "mean squared errors in the target's units, squared"
