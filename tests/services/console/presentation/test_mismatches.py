"""Why a data set does not serve a request, in the reader's language."""

from protocol.reason import FEW_ROWS, HELD, OTHER_KIND, TEMPLATES, Reason
from services.console.presentation.i18n import translations
from services.console.presentation.labels import mismatch_text


def test_a_reason_is_told_in_the_readers_language() -> None:
    spanish = translations("es").gettext
    reason = Reason(OTHER_KIND, column="'edad'", held=Reason(HELD["categorical"]), asked=Reason(HELD["date"]))
    assert mismatch_text(reason, spanish) == "la columna 'edad' contiene textos; se piden fechas"
    assert mismatch_text(Reason(FEW_ROWS, rows=4, asked=20), spanish) == "4 filas o más; se piden al menos 20"
    assert mismatch_text(reason, translations("en").gettext) == reason


def test_every_template_is_translated_with_all_its_values() -> None:
    spanish = translations("es").gettext
    for template in TEMPLATES:
        told = spanish(template)
        assert told != template
        assert {part.partition(")")[0] for part in told.split("%(")[1:]} == {
            part.partition(")")[0] for part in template.split("%(")[1:]
        }
