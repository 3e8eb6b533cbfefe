"""Scoring a bought model on rows of the buyer's own: the file is read once, and figures alone are kept."""

import os
import shutil
import tempfile
from pathlib import Path

from aiohttp import web

from protocol.records import Market
from services.common.errors import DataSetError
from services.console.buyer.views import Training
from services.console.web.access import audit, page_of
from services.console.web.pages import Page, or_not_found
from services.console.web.uploads import forget_received, received_file
from services.records.own_scores import keep_scores


def uploads_folder(beside: Path | None, market: Market, party: str) -> Path:
    """Where rows lie while they are read, without what a crash of the party's daemon in this market has left.

    What another daemon reads just now stays, also the same account's in another market.
    It is beside the store's file; None, where a database server has the store, makes one for temporary files
    and removes those of earlier starts.
    """
    daemon = f"{market.chain_id}-{market.contract}-{party}"
    if beside is None:
        return _temporary_folder(f"deltaml-{daemon}-")
    folder = beside / f".uploads-{daemon}"
    forget_received(folder)
    return folder


def _temporary_folder(prefix: str) -> Path:
    """A new one: others on the machine can take any name before us, but none of ours can be theirs."""
    for older in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        if not older.is_symlink() and older.is_dir() and older.stat().st_uid == os.geteuid():
            shutil.rmtree(older)
    return Path(tempfile.mkdtemp(prefix=prefix))


async def score(request: web.Request) -> web.StreamResponse:
    """Read a file, predict its rows, and keep the scores in the place of earlier ones.

    Answers a script with the result alone; without scripts, with the training's page.
    """
    page = page_of(request)
    training = _training(page)
    model, buyer = or_not_found(training.model), page.party.buyer
    audit(request, training=training.row.training)
    try:
        async with (
            received_file(request, buyer.uploads, buyer.largest_upload, frozenset()) as file,
            buyer.reading,
        ):
            scores = await buyer.score(file.path, model, file.file_name)
    except DataSetError as error:
        audit(request, refused=True)
        return _answer(page, training, str(error))
    keep_scores(page.store, training.row.key, scores)
    page.context.hub.wake()
    return _answer(page, training)


async def remove(request: web.Request) -> web.StreamResponse:
    """Forget the scores, which leaves them off the card too."""
    page = page_of(request)
    training = _training(page)
    audit(request, training=training.row.training)
    keep_scores(page.store, training.row.key, None)
    page.context.hub.wake()
    return _answer(page, training)


def _training(page: Page) -> Training:
    return or_not_found(Training.find(page.party, page.request.match_info["key"]))


def _answer(page: Page, training: Training, problem: str = "") -> web.Response:
    if "HX-Request" in page.request.headers:
        return page.render("buyer/training/scores.html", training=training, score_problem=problem)
    if problem:
        return page.render("buyer/training.html", status=422, training=training, score_problem=problem)
    return page.redirect(f"/trainings/{training.row.key}#scores")
