"""`deltaml demo`: the whole market in one process on real rows, the same training in plaintext beside it."""

import os
from collections.abc import Callable
from pathlib import Path

from protocol.bought_model import BoughtModel
from protocol.errors import MisuseError
from protocol.inference_terms import FEWEST_OWNERS
from protocol.messages import ChainEvent
from protocol.owner_policy import Budget
from protocol.payment import check_deposit, least_deposit
from protocol.request import LEAST_KEY_BITS, Request
from protocol.roles.owner.budget import most_numbers
from protocol.roles.rounds.requests import check_checkable
from protocol.roles.shared.request_widths import check_widths
from protocol.types import ZERO_ADDRESS
from services.common.errors import ServiceError
from services.common.files import require_new, require_other_file
from services.common.urls import is_url
from services.data.dealt_rows import data_sets_of
from services.data.model_file import write_model
from services.data.sample_request import DemoData, DemoOptions, column_notes, demo_request, load_data
from services.observability.prometheus import DaemonCollector, serving
from services.participants.assembly import Participant
from services.records.chain_history import chain_story
from services.records.stored_inference import bought_inference
from services.records.stored_trainings import bought_model
from services.sandbox.local_market import LocalMarket
from services.sandbox.report import DemoReport, Outcome, credited, make_report
from services.sandbox.transcripts import write_transcripts
from services.store import InstanceRow

__all__ = ["DemoOptions", "DemoReport", "run_demo"]

LEAST_DEMO_KEY_BITS = 1024
"""For comparison with the 2019 thesis; everything else asks for 2048 at least."""

MOST_OWNERS = 64

_TELLING = frozenset(
    [
        "violation",
        "no_match",
        "open_refused",
        "request_refused",
        "join_refused",
        "implausible",
    ]
)
"""The facts that explain why a training failed."""

Progress = Callable[[str, ChainEvent | None], None]
"""Told what is being done, and of every confirmed event."""


def run_demo(
    options: DemoOptions, progress: Progress, *, least_key_bits: int = LEAST_DEMO_KEY_BITS
) -> DemoReport:
    """Run the market to its end and report.

    Raises MisuseError for an option that cannot be used, before anything has started, DataSetError for the
    file, ChainError for the node, and ServiceError with the reason when the training fails.
    """
    import uvloop  # noqa: PLC0415  not for --help

    data = prepared_data(options, progress, least_key_bits)
    return uvloop.run(_run(options, data, progress, least_key_bits))


def prepared_data(options: DemoOptions, progress: Progress, least_key_bits: int) -> DemoData:
    """Everything that can be refused before anything starts is; see run_demo. The rows, dealt."""
    check_options(options, least_key_bits)
    data = load_data(options)
    request = demo_request(options, data, ZERO_ADDRESS)
    check_widths(request)
    check_checkable(request)
    check_deposit(request, f"use --deposit {least_deposit(request)} or more")
    for name, folder in (("--store", options.folder), ("--transcripts", options.transcripts)):
        if folder is not None:
            _make_folder(name, folder)
    for line in column_notes(options, data):
        progress(line, None)
    progress(f"{sum(data.sizes)} rows dealt to {options.owners} owners", None)
    return data


def check_options(options: DemoOptions, least_key_bits: int = LEAST_DEMO_KEY_BITS) -> None:
    """Refuse what cannot work before anything is started."""
    if options.key_bits < least_key_bits:
        raise MisuseError(
            f"a key of {options.key_bits} bits is too small: use --key-bits {LEAST_KEY_BITS} or more "
            f"({least_key_bits} for comparison with the 2019 thesis only)"
        )
    if not 4 <= options.owners <= MOST_OWNERS:
        raise MisuseError(
            f"{options.owners} owners; at least 4 (two train, two validate), at most {MOST_OWNERS}"
        )
    if options.inference and options.owners < FEWEST_OWNERS:
        raise MisuseError(
            f"--inference with {options.owners} owners: of fewer than {FEWEST_OWNERS} too few train for sums "
            f"that tell of none of them; use --owners {FEWEST_OWNERS} or more"
        )
    _check_url("--broker", options.broker, ("amqp", "amqps"), "amqp://user:password@localhost:5672/vhost")
    _check_url("--chain", options.chain, ("http", "https"), "http://127.0.0.1:8545")
    _check_results(options)


def _check_results(options: DemoOptions) -> None:
    """The files that results are written to."""
    named = {"model": options.model_out, "report": options.report, "card": options.card}
    written: dict[Path, str] = {}
    for what, path in named.items():
        if path is None:
            continue
        if path in written:
            raise MisuseError(f"{path} cannot hold both {written[path]} and {what}; name two files")
        written[path] = what
    if options.card is not None:
        from services.console.presentation.card_file import require_card_name  # noqa: PLC0415  templates

        require_card_name(options.card)
    for path in written:
        _check_writable(path)
        if options.data is not None:
            require_other_file(path, options.data)
        require_new(path, force=options.force)


def _check_url(option: str, url: str | None, schemes: tuple[str, ...], example: str) -> None:
    """The URL is not shown: it may hold a password, or a provider's key."""
    if url is not None and not is_url(url, schemes):
        raise MisuseError(f"{option} cannot be used: give one like {example}")


def _check_writable(path: Path) -> None:
    """A result that cannot be written must not cost a whole training first."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise MisuseError(f"{path}: there is no folder {folder}; create it first")
    if path.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise MisuseError(f"{path} cannot be written: name a file in a folder that you may write to")


def _make_folder(option: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise MisuseError(
            f"{option} {folder} cannot be used ({error.strerror}): name a new folder, or one of yours"
        ) from None


async def _run(options: DemoOptions, data: DemoData, progress: Progress, least_key_bits: int) -> DemoReport:
    events: list[ChainEvent] = []

    def on_event(event: ChainEvent) -> None:
        events.append(event)
        progress("", event)

    data_sets = data_sets_of(data)
    progress("starting chain, contract, daemons and worker processes", None)
    enough = most_numbers(demo_request(options, data, ZERO_ADDRESS))
    market = LocalMarket(
        data_sets,
        options,
        least_key_bits=least_key_bits,
        budget=Budget(per_buyer=enough, in_total=enough),
        on_event=on_event,
    )
    async with serving(options.metrics_port, DaemonCollector(market.observed, market.meter)), market:
        request = demo_request(options, data, market.aggregator.identity.address, market.token)
        progress(f"ordering a training with keys of {options.key_bits} bits", None)
        ended, model = await train(market, request)
        await market.wait_for(lambda: credited(events).total() == request.payment.deposit_wei)
        if options.model_out is not None:
            write_model(options.model_out, model)  # before anything else: it was paid for
        if options.card is not None:
            _write_card(options.card, market, ended)
        if options.transcripts is not None:
            assert ended.training is not None  # it has ended, so the contract has numbered it
            write_transcripts(options.transcripts, market, ended.training)
        outcome = Outcome(request, model, events, data_sets, market)
        return await make_report(
            outcome,
            broker="memory" if options.broker is None else "rabbitmq",
            chain="embedded" if options.chain is None else "node",
            model_file=options.model_out,
        )


def _write_card(path: Path, market: LocalMarket, ended: InstanceRow) -> None:
    from services.console.presentation.card_file import write_card  # noqa: PLC0415  templates
    from services.records.model_card import model_card  # noqa: PLC0415

    card = model_card(market.buyer.store, ended, market.deployment.market, assets=market.assets)
    write_card(path, card, force=True)


async def train(market: LocalMarket, request: Request) -> tuple[InstanceRow, BoughtModel]:
    """(the training in the buyer's store, the model), when all parties have ended it.

    Raises ServiceError with the reason when it fails.
    """
    key = await market.order(request)
    await market.wait_for(lambda: (row := market.buyer.store.instance(key)) is not None and row.finished)
    ended = market.buyer.store.instance(key)
    assert ended is not None
    if ended.display_status != "FINISHED":
        raise ServiceError(_why(market, ended.display_status))
    if request.inference:
        await market.wait_for(lambda: bought_inference(market.buyer.store, ended) is not None)
    whole = request.payment.deposit_wei
    await market.wait_for(lambda: all(_at_rest(party, ended.training, whole) for party in market.parties))
    return ended, bought_model(market.buyer.store, ended)


def _at_rest(party: Participant, training: int | None, deposit: int) -> bool:
    """Whether a party has ended its training and carried everything out, its withdrawal included.

    If it takes part it also knows that every unit of the deposit is somebody's: the owners' claims are in.
    """
    store = party.store
    if not party.runtime.is_idle() or not all(row.finished for row in store.instances()):
        return False
    knows = training is not None and store.key_of(training) is not None
    return not knows or chain_story(store, training).credited.total() == deposit


def _why(market: LocalMarket, shown: str) -> str:
    """The failure and every party's facts that explain it."""
    causes = []
    for party in market.parties:
        for row in party.store.instances():
            for name, data, _at in party.store.facts(row.key):
                if name in _TELLING:
                    causes.append(f"  {party.runtime.role.name} {party.identity.address}: {name} {data}")
    return "\n".join([f"the training ended as {shown}; no model was delivered", *causes])
