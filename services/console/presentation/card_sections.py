"""What stands on a model card, in a reader's language: the same for its page and for its Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from protocol.links import FITTED
from services.console.presentation.card_figures import bars, curve
from services.console.presentation.card_parts import Section, Table, Words
from services.console.presentation.card_scores import score_sections
from services.console.presentation.convergence import convergence_sentence
from services.console.presentation.folds import folds_sentence
from services.console.presentation.format import short
from services.console.presentation.i18n import gettext_noop as _
from services.console.presentation.labels import event_text
from services.console.presentation.penalties import penalty_sentence
from services.records.model_card import ModelCard
from services.records.penalties import chosen_ridge

_WIDEST = 10**6
"""Texts of the request are not broken into lines."""

_LONGEST_LABEL = 16
"""Signs that there is room for beside a bar."""

_ROLES = {"trainer": _("Trainer"), "validator": _("Validator"), "aggregator": _("Aggregator")}
_KINDS = {
    "numeric": _("number"),
    "boolean": _("truth value"),
    "categorical": _("one of several"),
    "date": _("date"),
}
_MODELS = {
    "linear_regression": _("Linear regression, ridge penalty λ = %(l2)s"),
    "binary_classification": _("Binary classification by least squares, ridge penalty λ = %(l2)s"),
    "logistic_regression": _("Logistic regression, ridge penalty λ = %(l2)s"),
    "poisson_regression": _("Poisson regression of counts, ridge penalty λ = %(l2)s"),
    "gamma_regression": _("Gamma regression of amounts, ridge penalty λ = %(l2)s"),
    "negative_binomial_regression": _(
        "Negative binomial regression of counts with the dispersion %(dispersion)s, ridge penalty λ = %(l2)s"
    ),
    "cox_regression": _("Cox regression of times until the event %(event)s, ridge penalty λ = %(l2)s"),
    "several_targets": _("Linear regression of several targets, ridge penalty λ = %(l2)s"),
    "several_classes": _("Classification of several classes by least squares, ridge penalty λ = %(l2)s"),
}
_CURVES = {
    "polynomial": _("polynomial up to a degree"),
    "spline": _("spline with knots"),
    "interaction": _("product"),
    "fourier": _("random waves: number, length scale, seed"),
}
_FIRST_MODELS = {
    "mean": _("the mean that the buyer declared, %(value)s, for every row"),
    "means": _("the means that the buyer declared, %(value)s, for every row"),
    "zero": _("every weight at zero"),
    "weights": _("weights that the buyer declared"),
}


def lead(card: ModelCard, language: str) -> str:
    """What the model is, in a sentence."""
    words, columns = Words(language), len(card.request["features"])
    text = words.ngettext(
        "Predicts %(target)s from %(columns)s column. Trained on the rows of data owners who kept them to "
        "themselves and never saw the model.",
        "Predicts %(target)s from %(columns)s columns. Trained on the rows of data owners who kept them to "
        "themselves and never saw the model.",
        columns,
    )
    return text % {"target": _predicted(card), "columns": columns}


def _targets(card: ModelCard) -> list[Mapping[str, Any]]:
    """As the request declares them."""
    return list(card.request.get("targets") or [card.request["target"]])


def _predicted(card: ModelCard) -> str:
    return ", ".join(str(one["name"]) for one in _targets(card))


def sections(card: ModelCard, language: str) -> tuple[Section, ...]:
    """All of the card, in order."""
    words = Words(language)
    return (
        _use(card, words),
        _quality(card, words),
        *(() if card.own_scores is None else score_sections(card.own_scores, words)),
        _participants(card, words),
        *_data_sets(card, words),
        _columns(card, words),
        _proof(card, words),
        _request(card, words),
    )


def _use(card: ModelCard, words: Words) -> Section:
    _, formats = words.gettext, words.formats
    unsaid = _("The request does not say.")
    return Section(
        _("Use"),
        (
            (_("Intended use"), card.intended_use or unsaid),
            (_("Licence of the model"), card.licence or unsaid),
            (
                _("Kind of model"),
                _(_MODELS.get(card.kind, card.kind)) % _model_facts(card),
            ),
            (_("Predicts"), _predicted(card)),
            (_("Finished"), formats.moment(max((one.at for one in card.transactions), default=None))),
        ),
        texts=(_("For rows within the ranges below; beyond them its predictions are extrapolations."),),
    )


def _model_facts(card: ModelCard) -> dict[str, Any]:
    """The request's, with the one λ that was chosen of a path."""
    chosen = chosen_ridge(card.penalties)
    return {**card.request["model"], **({} if chosen is None else {"l2": chosen})}


def _quality(card: ModelCard, words: Words) -> Section:
    _, formats = words.gettext, words.formats
    errors = [(made.round, made.mse) for made in card.rounds]
    values = {
        "first": formats.significant(card.rounds[0].mse),
        "last": formats.significant(card.rounds[-1].mse),
        "rounds": formats.number(len(card.rounds) - 1),
    }
    picture = curve(
        errors,
        ("0", formats.significant(max(error for _number, error in errors), 4)),
        words.ngettext(
            "Mean squared error by round: %(first)s at the start, %(last)s after %(rounds)s round.",
            "Mean squared error by round: %(first)s at the start, %(last)s after %(rounds)s rounds.",
            len(card.rounds) - 1,
        )
        % values,
    )
    first = _(_FIRST_MODELS.get(card.first_model, card.first_model)) % {"value": card.first_value}
    facts = (
        (_("Root mean squared error (RMSE)"), formats.significant(card.rmse)),
        (_("Mean squared error (MSE)"), formats.significant(card.mse)),
        (_("Round whose model was delivered"), formats.number(card.delivered_round)),
        (_("MSE of the first model"), values["first"]),
        (_("First model"), first),
        (_("Share of the first model's error removed"), formats.percent(card.share_of_start_error_removed)),
    )
    return Section(
        _("Error on the validators' rows"),
        facts,
        picture,
        _rounds(card, words),
        (
            *filter(None, (penalty_sentence(card.penalties, words.language),)),
            convergence_sentence(card.convergence, words.language),
            convergence_sentence(card.convergence, words.language),
            *(() if card.folds is None else (folds_sentence(card.folds, words.language),)),
            *_explained(card, words),
        ),
    )


def _explained(card: ModelCard, words: Words) -> tuple[str, ...]:
    _ = words.gettext
    measured = _(
        "Measured on the rows of owners who did not train, over all their rows together, in the target's own "
        "unit (RMSE) or its square (MSE)."
    )
    share = _(
        "The share of error removed is 1 − MSE/MSE of the first model: an R² with that public model in the "
        "place of the mean of the validators' own targets, which nobody publishes."
    )
    if card.kind == "binary_classification":
        brier = _(
            "The target is 0 or 1, so the MSE is the Brier score of the linear predictions that were trained "
            "and paid for. The delivered model rescales them to probabilities: deltaml predict scores those "
            "on rows of your own."
        )
        return (measured, brier, share)
    if card.kind == "several_targets":
        mean = _(
            "The MSE is the mean over all targets, each in halves of its declared range. deltaml predict "
            "scores every target in its own units on rows of your own."
        )
        return (mean, share)
    if card.kind == "several_classes":
        classes = _(
            "The MSE is the mean of the classes' Brier scores, each of one class against the rest, of the "
            "linear predictions that were trained and paid for. deltaml predict scores the delivered "
            "probabilities on rows of your own."
        )
        return (classes, share)
    if card.kind in FITTED:
        deviance = _(
            "In the place of the MSE stands the mean deviance: each validator's own near the optimum of its "
            "rows, exact at the first model, and a square in between. deltaml predict scores the delivered "
            "model on rows of your own."
        )
        return (deviance, share)
    bound = _("R² with their own mean is at most this.")
    return (measured, f"{share} {bound}" if card.first_model in ("mean", "zero") else share)


def _rounds(card: ModelCard, words: Words) -> Table:
    _, formats = words.gettext, words.formats
    rows = tuple(
        (
            formats.number(made.round),
            formats.significant(made.mse),
            formats.significant(made.rmse),
            formats.percent(made.share_of_start_error_removed),
            *(("–" if made.ridge is None else made.ridge,) if card.penalties else ()),
        )
        for made in card.rounds
    )
    headings = (_("Round"), _("MSE"), _("RMSE"), _("Share removed"), *(("λ",) if card.penalties else ()))
    return Table(headings, rows, frozenset(range(len(headings))))


def _participants(card: ModelCard, words: Words) -> Section:
    _, formats = words.gettext, words.formats
    trainers = [one for one in card.participants if one.contribution is not None]
    parts = [
        (_label(card, one.address), one.contribution or 0.0, formats.percent(one.contribution))
        for one in trainers
    ]
    told = ", ".join(f"{name}: {figure}" for name, _share, figure in parts)
    picture = bars(parts, _("Contribution of each trainer. %(told)s.") % {"told": told}) if parts else None
    rows = tuple(
        (
            _party(card, one.address),
            _(_ROLES.get(one.role, one.role)),
            formats.number(one.rounds),
            formats.percent(one.contribution),
            formats.money(int(one.pay_wei), card.asset),
        )
        for one in card.participants
    )
    headings = (_("Party"), _("Role"), _("Rounds"), _("Contribution"), _("Pay"))
    facts = (
        (_("Buyer"), _party(card, card.buyer) if card.buyer else "–"),
        (_("Deposit"), formats.money(int(card.deposit_wei), card.asset)),
        (_("Paid"), formats.money(int(card.paid_wei), card.asset)),
        (_("Returned to the buyer"), formats.money(int(card.returned_wei), card.asset)),
    )
    explained = _(
        "A contribution is a trainer's Shapley value over all rounds, as a share of the gains of those who "
        "improved the model; it is below zero for one who made it worse."
    )
    table = Table(headings, rows, frozenset({2, 3, 4}))
    return Section(_("Participants and pay"), facts, picture, table, (explained,))


def _label(card: ModelCard, address: str) -> str:
    """What there is room for beside a bar; the table has all of it."""
    return card.names.get(address, short(address))[:_LONGEST_LABEL]


def _party(card: ModelCard, address: str) -> str:
    """An address, after the name that the card has for it."""
    return f"{card.names[address]} {address}" if address in card.names else address


def _data_sets(card: ModelCard, words: Words) -> tuple[Section, ...]:
    _ = words.gettext
    if not card.data_sets:
        return ()
    rows = tuple((_party(card, one.owner), one.data_set, one.hash) for one in card.data_sets)
    told = _(
        "What the aggregator told last of the participants' data sets that serve the request, by the hashes "
        "of their cards. Which of several an owner took part with nobody is told."
    )
    table = Table((_("Owner"), _("Data set"), _("Hash of its card")), rows)
    return (Section(_("Data cards"), table=table, texts=(told,)),)


def _columns(card: ModelCard, words: Words) -> Section:
    _ = words.gettext
    event = card.request["model"].get("event")
    events = [] if event is None else [{"name": event, "kind": "boolean"}]
    columns = [*card.request["features"], *events, *_targets(card)]
    rows = tuple((str(one["name"]), _(_KINDS[one.get("kind", "numeric")]), _values(one)) for one in columns)
    curves = tuple(_curve(one, words) for one in card.request.get("basis", ()))
    return Section(
        _("Columns, the target last"),
        table=Table((_("Column"), _("Kind"), _("Values")), (*rows, *curves)),
        texts=(_("As the request declares them: no statistics of anybody's rows."),),
    )


def _values(column: Mapping[str, Any]) -> str:
    """A range, or the levels; nothing for truth values."""
    if "levels" in column:
        return ", ".join(column["levels"])
    return f"{column['minimum']} – {column['maximum']}" if "minimum" in column else "–"


def _curve(basis: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    """What a curve or a product is of, its sort, and which of them."""
    named = basis["columns"] if "columns" in basis else [basis["column"]]
    sort = _CURVES[basis["kind"]]
    of = (" × " if basis["kind"] == "interaction" else ", ").join(named)
    return of, words.gettext(sort), _curve_values(basis)


def _curve_values(basis: Mapping[str, Any]) -> str:
    """Its degree, knots or waves; nothing for a product."""
    if basis["kind"] == "fourier":
        return f"{basis['number']}, {basis['length_scale']}, {basis['seed']}"
    knots = ", ".join(basis.get("knots", ()))
    return f"{basis['degree']}" if "degree" in basis else knots or "–"


def _proof(card: ModelCard, words: Words) -> Section:
    _ = words.gettext
    place: Sequence[tuple[str, str]] = ()
    if card.market is not None:
        place = ((_("Contract"), card.market.contract), (_("Number of the chain"), str(card.market.chain_id)))
    facts = (
        (_("Training"), str(card.training)),
        *place,
        (_("Hash of the request"), card.request_hash),
        (_("Hash on the chain, of request and key"), card.chain_hash or "–"),
    )
    rows = tuple(
        dict.fromkeys(
            (str(one.block), event_text(one.event, _), one.transaction) for one in card.transactions
        )
    )
    table = Table((_("Block"), _("Event"), _("Transaction")), rows, frozenset({0}))
    return Section(_("On the chain"), facts, table=table)


def _request(card: ModelCard, words: Words) -> Section:
    text = yaml.safe_dump(card.request, sort_keys=False, allow_unicode=True, width=_WIDEST)
    return Section(words.gettext("Request"), code=text)
