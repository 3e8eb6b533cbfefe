"""A card as a file: whatever names are on it, it shows them and does nothing."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from services.console.presentation.card_figures import WIDTH, bars, curve
from services.console.presentation.model_card import as_html, as_json, as_markdown, markdown_text
from services.data.own_scores import OwnScores
from services.records.model_card import ModelCard, model_card
from services.store import Store
from tests.support.console.trainings import finished_training

HOSTILE = "</style><script src='https://evil.example/x.js'>alert(1)</script> | [a](b) `c` *d* <img src=x> & é"


def made(**request):
    store = Store()
    return model_card(store, store.instance(finished_training(store, **request)))


@pytest.fixture(scope="module")
def hostile():
    columns = [{"name": f"{HOSTILE} {n}", "minimum": 0, "maximum": 1} for n in range(2)]
    return made(name=HOSTILE[:100], purpose=HOSTILE, licence=HOSTILE, features=columns)


class _Reader(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_the_page_runs_and_fetches_nothing_whatever_the_names(hostile):
    page = as_html(hostile)
    read = _Reader(page)
    assert not {"script", "img", "link", "iframe", "object", "form", "a", "use", "image"} & {
        tag for tag, _ in read.tags
    }
    names = {name for _tag, attributes in read.tags for name in attributes}
    assert not {name for name in names if name.startswith("on") or name in ("href", "src", "style")}
    assert "url(" not in page.replace(HOSTILE, "")
    assert HOSTILE in read.text


def test_the_pages_own_policy_allows_its_own_style_alone():
    page = as_html(made())
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src &#39;none&#39;; style-src &#39;sha256-{digest}&#39;" in page or (
        f"default-src 'none'; style-src 'sha256-{digest}'" in page
    )


def test_figures_say_in_words_what_they_show():
    page = as_html(made())
    titles = re.findall(r"<title id=[^>]*>(.*?)</title>", page)
    shares = "0x000000…0000a1: 66.7 %, 0x000000…0000a2: 33.3 %, 0x000000…0000a3: -33.3 %"
    assert titles == [
        "Mean squared error by round: 6,000 at the start, 4,374 after 3 rounds.",
        f"Contribution of each trainer. {shares}.",
    ]


@given(st.lists(st.floats(0, 1e30), min_size=2, max_size=300))
def test_a_curve_stays_in_its_frame(errors):
    drawn = curve(list(enumerate(errors)), ("0", "1"), "")
    for point in drawn.points.split():
        x, y = map(float, point.split(","))
        assert drawn.left <= x <= WIDTH
        assert 0 <= y <= drawn.bottom
    assert len(drawn.across) <= 6


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40))
def test_bars_stay_between_names_and_figures(shares):
    drawn = bars([("name", share, "figure") for share in shares], "")
    for bar, share in zip(drawn.bars, shares, strict=True):
        assert bar.x >= 131.9
        assert bar.x + bar.width <= WIDTH - 51.8
        assert bar.x == pytest.approx(drawn.zero - (bar.width if share < 0 else 0), abs=0.11)


def test_markdown_shows_names_as_they_are(hostile):
    page = _Reader(MarkdownIt("commonmark").enable("table").render(as_markdown(hostile)))
    assert not {"script", "img", "a", "em", "style"} & {tag for tag, _ in page.tags}
    assert page.text.count(HOSTILE) >= 4
    rows = MarkdownIt("commonmark").enable("table").render(as_markdown(made())).count("<tr>")
    assert rows == MarkdownIt("commonmark").enable("table").render(as_markdown(hostile)).count("<tr>")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp", "Zs"]), min_size=1))
def test_any_text_on_one_line_comes_through_markdown(text):
    shown = MarkdownIt("commonmark").enable("table").render(f"- x: {markdown_text(text)}")
    assert _Reader(shown).text.strip() == f"x: {text}"


@pytest.mark.parametrize(("language", "title"), [("en", "Use"), ("es", "Participantes y pago")])
def test_both_languages(language, title):
    card = made(purpose="uso", licence="MIT")
    for text in (as_html(card, language), as_markdown(card, language)):
        assert title in text
        assert "uso" in text
        assert "152,13" in text or "152.13" in text


def test_columns_of_every_kind_say_what_they_take():
    columns = [
        {"name": "heating", "kind": "categorical", "levels": ["gas", "oil | wood"]},
        {"name": "sold", "kind": "date", "minimum": "2020-01-01", "maximum": "2024-01-01"},
    ]
    truth = {"name": "garden", "kind": "boolean", "missing": "indicator"}
    assert "| garden | truth value | – |" in as_markdown(made(features=[truth]))
    text = as_markdown(made(features=columns))
    assert "| heating | one of several | gas, oil \\| wood |" in text
    assert "| sold | date | 2020-01-01 – 2024-01-01 |" in text


def test_credits_of_one_transaction_stand_in_one_row():
    card = made()
    credit = next(one for one in card.transactions if one.event == "Credited")
    shown = as_markdown(card.model_copy(update={"transactions": (credit,) * 7}))
    assert shown.count("| Somebody was paid |") == 1


def test_json_reads_back_as_the_card():
    card = made()
    assert ModelCard.model_validate_json(as_json(card), strict=False) == card
    assert json.loads(as_json(card))["rounds"][0]["round"] == 0


def test_the_card_of_a_classification_says_what_its_error_is():
    page = as_markdown(
        made(
            model={"kind": "binary_classification"},
            target={"name": "ill", "kind": "boolean"},
            start={"start": "mean", "value": "0.4"},
        )
    )
    assert "Binary classification by least squares, ridge penalty λ = 0.00001" in page
    assert "the MSE is the Brier score of the linear predictions" in page
    assert "Linear regression" not in page


def test_curves_stand_among_the_columns():
    """As many rows as columns, each with what it is of: nothing of anybody's rows."""
    features = [{"name": "age", "minimum": 0, "maximum": 120}]
    basis = [{"kind": "spline", "column": "age", "knots": [30]}]
    text = as_markdown(made(features=features, basis=basis, scale="range"))
    assert "| age | spline with knots | 30 |" in text


def scored(figures, **changes):
    scores = OwnScores(at=1_750_000_000.0, rows=200, figures=figures, **changes)
    return made().model_copy(update={"own_scores": scores})


CLASSES = {
    "accuracy": 0.915,
    "auc": 0.96131,
    "log_loss": 0.2,
    "brier": 0.06,
    "confusion": {"true_negative": 90, "false_positive": 9, "false_negative": 8, "true_positive": 93},
    "calibration": [{"rows": 0, "predicted": None, "share": None}] * 8
    + [{"rows": 99, "predicted": 0.85, "share": 0.9}, {"rows": 101, "predicted": 0.97, "share": 0.92}],
}


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            ("Accuracy: 91.5 %", "(AUC): 0.9613", "| Yes | 8 | 93 |", "| 0.9–1 | 101 | 0.97 | 0.92 |"),
        ),
        (
            "es",
            ("Exactitud: 91,5 %", "(AUC): 0,9613", "| Sí | 8 | 93 |", "| 0,9–1 | 101 | 0,97 | 0,92 |"),
        ),
    ],
)
def test_the_scores_of_a_classification_stand_on_its_card(language, told):
    card = scored(CLASSES)
    text = as_markdown(card, language).replace("\\", "").replace("\u00a0", " ")
    for part in told:
        assert part in text, part
    page = _Reader(as_html(card, language)).text
    assert "0.9613" in page or "0,9613" in page
    assert "–0.8 |" not in text.replace(",", "."), "groups without a row are left out"


def test_a_card_says_that_groups_of_few_rows_are_left_out():
    few = [*CLASSES["calibration"][1:], {"rows": 3, "predicted": 0.97, "share": 1.0}]
    card = scored({**CLASSES, "calibration": few})
    own = card.own_scores.published()
    text = as_markdown(card.model_copy(update={"own_scores": own}))
    assert "Groups of few rows are left out" in text
    assert "Groups of few rows are left out" not in as_markdown(card)
    assert "0.9–1 | 3 |" not in text


@pytest.mark.parametrize(
    ("figures", "told"),
    [
        ({"mse": 4.0, "rmse": 2.0, "mae": 1.5, "r2": None}, ("(RMSE): 2", "(MAE): 1.5", "(R²): –")),
        (
            {"deviance": 1.25, "deviance_explained": 0.375, "rmse": 2.0, "mae": 1.5},
            ("Mean deviance: 1.25", "Share of the deviance explained: 37.5 %"),
        ),
        ({"concordance": 0.75, "events": 60}, ("Concordance index: 0.75", "Rows with an event: 60")),
    ],
)
def test_the_scores_of_numbers_stand_on_their_card(figures, told):
    text = as_markdown(scored(figures, outside={"a|b": 3})).replace("\\", "").replace("\u00a0", " ")
    assert "Scores on the buyer's own rows" in text
    assert "Confusion matrix" not in text
    for part in (*told, "Rows: 200", "a|b (3)"):
        assert part in text, part


def test_a_card_without_scores_says_nothing_of_them():
    assert "own rows" not in as_markdown(made())


def test_scores_read_back_with_the_card():
    card = scored(CLASSES)
    assert ModelCard.model_validate_json(as_json(card), strict=False) == card
