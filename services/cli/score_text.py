"""Scores in words and small tables, for people."""

from collections.abc import Iterator

from protocol.learning.scores.classification import CALIBRATION_GROUPS, ClassificationScores
from protocol.learning.scores.concordance import ConcordanceScores
from protocol.learning.scores.deviance import DevianceScores
from protocol.learning.scores.interface import Scores
from protocol.learning.scores.regression import RegressionScores


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
    return ""


def score_tables(scores: Scores) -> list[str]:
    """Lines of the tables below the figures: of a classification its confusion matrix and calibration."""
    if not isinstance(scores, ClassificationScores) or not scores.measured:
        return []
    return [*_confusion(scores), *_calibration(scores)]


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
