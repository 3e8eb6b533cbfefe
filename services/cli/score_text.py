"""Scores in words and small tables, for people."""

from collections.abc import Iterator

from protocol.learning.scores.classification import CALIBRATION_GROUPS, ClassificationScores
from protocol.learning.scores.concordance import ConcordanceScores
from protocol.learning.scores.deviance import DevianceScores
from protocol.learning.scores.interface import Scores
from protocol.learning.scores.regression import RegressionScores
from protocol.learning.scores.several_classes import SeveralClassesScores
from protocol.learning.scores.several_targets import SeveralTargetsScores
from services.cli.standard_streams import visible


def score_figures(scores: Scores) -> str:
    """The figures in a row, each after a comma; empty before the first row was compared."""
    match scores:
        case RegressionScores(rmse=float(root)):
            figures = f", MSE {scores.mse:.6g} (its root {root:.6g}), MAE {scores.mae:.6g}"
            return figures if scores.r2 is None else f"{figures}, R² {scores.r2:.6f}"
        case ClassificationScores(brier=float(brier)):
            auc = "" if scores.auc is None else f", AUC {scores.auc:.4f}"
            return (
                f", accuracy {scores.accuracy:.4f}{auc}, log-loss {scores.log_loss:.4f}, "
                f"Brier score {brier:.4f}"
            )
        case DevianceScores(deviance=float(deviance)):
            explained = "" if scores.explained is None else f" ({scores.explained:.1%} explained)"
            return (
                f", deviance {deviance:.6g}{explained}, RMSE {scores.rmse:.6g}, MAE {scores.errors.mae:.6g}"
            )
        case ConcordanceScores(concordance=float(concordance)):
            return f", concordance {concordance:.4f} ({scores.events} events)"
        case SeveralTargetsScores(mean_r2=float(mean)):
            return f", mean R² {mean:.6f}"
    return _class_figures(scores)


def _class_figures(scores: Scores) -> str:
    if not isinstance(scores, SeveralClassesScores) or scores.brier is None:
        return ""
    return f", accuracy {scores.accuracy:.4f}, log-loss {scores.log_loss:.4f}, Brier score {scores.brier:.4f}"


def score_tables(scores: Scores) -> list[str]:
    """Lines of the tables below the figures: of a classification its confusion matrix and calibration.

    Of several targets the figures of each, of several classes their confusion matrix.
    """
    match scores:
        case ClassificationScores(measured=rows) if rows:
            return [*_confusion(scores), *_calibration(scores)]
        case SeveralTargetsScores(measured=rows) if rows:
            each = zip(scores.names, scores.each, strict=True)
            return [visible(f"{name}{score_figures(one)}") for name, one in each]
        case SeveralClassesScores(measured=rows) if rows:
            return list(_confused_classes(scores))
    return []


def _confused_classes(scores: SeveralClassesScores) -> Iterator[str]:
    """By row the class that came, by column the predicted one, with precision and recall."""
    names = [visible(level) for level in scores.levels]
    widths = [max(len(name), len(f"{scores.measured}")) for name in names]
    first = max(len("predicted"), *map(len, names))
    head = "  ".join(f"{name:>{width}}" for name, width in zip(names, widths, strict=True))
    yield f"{'predicted':<{first}}  {head}  precision  recall"
    taken = scores.confusion.sum(axis=0)
    for place, (name, row) in enumerate(zip(names, scores.confusion.tolist(), strict=True)):
        counts = "  ".join(f"{count:>{width}}" for count, width in zip(row, widths, strict=True))
        precision, recall = (_share(row[place], int(total)) for total in (taken[place], sum(row)))
        yield f"{name:<{first}}  {counts}  {precision:>9}  {recall:>6}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.4f}" if whole else "–"


def _confusion(scores: ClassificationScores) -> Iterator[str]:
    width = len(f"{scores.measured}")
    head = [f"{f'predicted {one}':>{max(width, 11)}}" for one in (0, 1)]
    yield f"         {'  '.join(head)}"
    for truth, counts in enumerate(scores.confusion.tolist()):
        yield f"truth {truth}  {'  '.join(f'{count:>{max(width, 11)}}' for count in counts)}"


def _calibration(scores: ClassificationScores) -> Iterator[str]:
    yield "probability         rows  mean probability  share of ones"
    for index, group in enumerate(scores.calibration()):
        if group.predicted is not None and group.share is not None:
            low, high = index / CALIBRATION_GROUPS, (index + 1) / CALIBRATION_GROUPS
            yield f"{low:.1f} to {high:.1f}  {group.rows:>12}  {group.predicted:>16.4f}  {group.share:>13.4f}"
