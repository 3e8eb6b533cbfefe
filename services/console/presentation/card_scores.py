"""The scores of a bought model on its buyer's own rows, for its page and its card."""

from collections.abc import Callable, Mapping
from typing import Any

from protocol.learning.scores.classification import CALIBRATION_GROUPS
from services.console.presentation.card_parts import Section, Table, Words
from services.console.presentation.format import Formats
from services.console.presentation.i18n import gettext_noop as _
from services.data.own_scores import OwnScores

_MOST_NAMED = 10
"""Features in one line."""

_FIGURES: Mapping[str, tuple[str, Callable[[Formats, float | None], str]]] = {
    "accuracy": (_("Accuracy"), Formats.percent),
    "auc": (_("Area under the ROC curve (AUC)"), Formats.number),
    "log_loss": (_("Log-loss"), Formats.number),
    "brier": (_("Brier score"), Formats.number),
    "deviance": (_("Mean deviance"), Formats.significant),
    "deviance_explained": (_("Share of the deviance explained"), Formats.percent),
    "concordance": (_("Concordance index"), Formats.number),
    "events": (_("Rows with an event"), Formats.number),
    "mse": (_("Mean squared error (MSE)"), Formats.significant),
    "rmse": (_("Root mean squared error (RMSE)"), Formats.significant),
    "mae": (_("Mean absolute error (MAE)"), Formats.significant),
    "r2": (_("Share of the variance explained (R²)"), Formats.number),
    "mean_r2": (_("Mean of the targets' R²"), Formats.number),
}
"""By their names in `Scores.figures`; a kind has some of them."""


def score_sections(scores: OwnScores, words: Words) -> tuple[Section, ...]:
    """All of them: the figures, and of a classification its confusion matrix and calibration."""
    return (
        _figures(scores, words),
        *(_confusion(scores, words) if "confusion" in scores.figures else ()),
        *(_calibration(scores, words) if "calibration" in scores.figures else ()),
        *(_each_target(scores, words) if "targets" in scores.figures else ()),
        *(_each_class(scores, words) if "classes" in scores.figures else ()),
    )


def _each_target(scores: OwnScores, words: Words) -> tuple[Section, ...]:
    """The figures of every target, in its own units."""
    _ = words.gettext
    targets: Mapping[str, Mapping[str, Any]] = scores.figures["targets"]
    names = ("mse", "rmse", "mae", "r2")
    rows = tuple(
        (target, *(_FIGURES[name][1](words.formats, figures[name]) for name in names))
        for target, figures in targets.items()
    )
    headings = (_("Target"), *(_(_FIGURES[name][0]) for name in names))
    return (Section(_("Scores of each target"), table=Table(headings, rows, frozenset({1, 2, 3, 4}))),)


def _each_class(scores: OwnScores, words: Words) -> tuple[Section, ...]:
    """What the rows of each class were predicted as, with precision and recall."""
    _, formats = words.gettext, words.formats
    classes: Mapping[str, Mapping[str, Any]] = scores.figures["classes"]
    rows = tuple(
        (
            level,
            *(formats.number(count) for count in figures["predicted"].values()),
            formats.percent(figures["precision"]),
            formats.percent(figures["recall"]),
        )
        for level, figures in classes.items()
    )
    headings = (_("Class that came"), *classes, _("Precision"), _("Recall"))
    table = Table(headings, rows, frozenset(range(1, len(headings))))
    return (Section(_("Predicted classes, by column"), table=table),)


def _figures(scores: OwnScores, words: Words) -> Section:
    _, formats = words.gettext, words.formats
    told = tuple(
        (_(label), shown(formats, scores.figures[name]))
        for name, (label, shown) in _FIGURES.items()
        if name in scores.figures
    )
    facts = (
        (_("Rows"), formats.number(scores.rows)),
        *told,
        (_("Scored"), formats.moment(scores.at)),
    )
    explained = _(
        "Rows that the buyer brought, predicted by the delivered model: its own word, which nobody else has "
        "measured. The rows themselves were not kept."
    )
    return Section(_("Scores on the buyer's own rows"), facts, texts=(explained, _outside(scores, words)))


def _outside(scores: OwnScores, words: Words) -> str:
    """How many rows leave the ranges of the training, where any do; else nothing."""
    _, formats = words.gettext, words.formats
    if not scores.outside:
        return ""
    most = sorted(scores.outside.items(), key=lambda one: -one[1])[:_MOST_NAMED]
    columns = ", ".join(f"{name} ({formats.number(count)})" for name, count in most)
    text = _(
        "Columns outside the ranges that the model was trained in, with the number of rows: %(columns)s."
    )
    return text % {"columns": columns}


def _confusion(scores: OwnScores, words: Words) -> tuple[Section, ...]:
    _, formats = words.gettext, words.formats
    counts: Mapping[str, Any] = scores.figures["confusion"]
    rows = tuple(
        (truth, *(formats.number(counts[name]) for name in names))
        for truth, names in (
            (_("No"), ("true_negative", "false_positive")),
            (_("Yes"), ("false_negative", "true_positive")),
        )
    )
    headings = (_("Truth"), _("Predicted: no"), _("Predicted: yes"))
    explained = _("A row counts as yes from a probability of one half on.")
    return (
        Section(_("Confusion matrix"), table=Table(headings, rows, frozenset({1, 2})), texts=(explained,)),
    )


def _calibration(scores: OwnScores, words: Words) -> tuple[Section, ...]:
    _, formats = words.gettext, words.formats
    groups: list[Mapping[str, Any]] = scores.figures["calibration"]
    rows = tuple(
        (
            "–".join(formats.number(tenth / CALIBRATION_GROUPS) for tenth in (index, index + 1)),
            formats.number(group["rows"]),
            formats.number(group["predicted"]),
            formats.number(group["share"]),
        )
        for index, group in enumerate(groups)
        if group["rows"]
    )
    headings = (_("Probability"), _("Rows"), _("Mean probability"), _("Share of yes"))
    texts = [_("Where a model is calibrated, the mean probability and the share of yes are alike.")]
    if any(group["rows"] is None for group in groups):
        texts.append(_("Groups of few rows are left out: they would tell of single ones."))
    table = Table(headings, rows, frozenset({1, 2, 3}))
    return (Section(_("Calibration"), table=table, texts=tuple(texts)),)
