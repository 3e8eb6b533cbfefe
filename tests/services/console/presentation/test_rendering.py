"""What a process compiles it compiles once, whatever number of consoles it shows."""

from jinja2 import Environment

from services.console.presentation.assets import Assets
from services.console.presentation.i18n import LANGUAGES
from services.console.presentation.rendering import Templates

PAGE = "macros.html"


def shown(language):
    return Templates(Assets().url).render(language, PAGE, {})


def test_the_next_console_compiles_no_template_again(monkeypatch):
    first = {language: shown(language) for language in LANGUAGES}

    def compiles(*_arguments, **_options):
        raise AssertionError("a template was compiled again")

    monkeypatch.setattr(Environment, "compile", compiles)
    assert {language: shown(language) for language in LANGUAGES} == first


def test_the_next_console_reads_no_file_again():
    assert all(one is two for one, two in zip(*(Assets().by_path.values() for _ in range(2)), strict=True))
