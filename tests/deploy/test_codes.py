"""The operators' pages explain every code, fact and warning that the program has, and no other."""

from typing import get_args

import pytest

from protocol.messages import AdmissionCode, InvitationAnswer
from protocol.roles.engine.facts import FACTS
from services.admin.store_backup import RESTORED
from services.bus.port import UNDELIVERABLE
from services.chain.contract.abi import marketplace_artifact, snake_case
from services.console.presentation.labels import FAILURES
from services.records.refusal_texts import REFUSALS
from services.records.round_checks import TROUBLES
from services.runtime.resources import INTERNAL_ERROR
from tests.support.deployment.explained import (
    ROOT,
    codes,
    lines_by_their_end,
    lines_that_warn,
    quoted,
    rows,
    section,
    words_of_the_program,
)

BY_THE_BROKER = {"delivery_limit", "expired", "maxlen"}
"""What RabbitMQ itself says of a dead letter."""

BY_THE_NODE = {"bond_below_cost", "insufficient_funds", "out_of_gas", "reverted"}
"""Outcomes of a call that are no error of the contract's."""

BEGINNINGS = ("join_", "open_")
"""Of codes that end with one of the contract's."""

HINT = "deploy/CODES.md and the program differ: explain what is new there, take out what is gone"


def first_cells(heading):
    return set().union(*(quoted(row[0]) for row in rows(section("CODES.md", heading))))


def rows_of(heading):
    return [" ".join(row) for row in rows(section("CODES.md", heading))]


def of_the_contract():
    entries = marketplace_artifact()["abi"]
    return {snake_case(entry["name"]) for entry in entries if entry["type"] == "error"}


def test_every_line_that_warns_is_explained_and_no_other():
    assert first_cells("## What the log says") == lines_that_warn(), HINT


def test_every_outage_names_the_line_that_ends_it():
    told = {row[0].strip("`"): row[1].strip("`") for row in rows(section("CODES.md", "## What the log says"))}
    ends = {name: end for name, end in told.items() if end}
    assert {**lines_by_their_end(), "collector_unreachable": "collector_reachable_again"} == ends, HINT


def test_every_fact_is_explained_in_its_own_words():
    told = {row[0].strip("`"): row[1] for row in rows(section("CODES.md", "## Facts"))}
    assert told == {name: fact.meaning for name, fact in FACTS.items()}, HINT


def test_every_code_is_explained_and_no_other():
    program = codes() | of_the_contract() | BY_THE_BROKER | BY_THE_NODE
    program |= {UNDELIVERABLE, INTERNAL_ERROR, RESTORED, "archived"}
    program |= set(InvitationAnswer.model_fields["code"].annotation.__args__) | set(get_args(AdmissionCode))
    headings = (
        "## Why a training failed",
        "## What was answered",
        "## Why somebody was left out",
        "## Why something was refused",
        "## What `deltaml verify` found",
        "## What the contract refuses",
    )
    page = set().union(*(quoted(row) for heading in headings for row in rows_of(heading)))
    page |= quoted(section("CODES.md", headings[0])) | quoted(section("CODES.md", headings[-1]))
    assert page - (set(FACTS) - program) - {"chain", "open_", "join_"} == program, HINT


def test_what_the_console_has_words_for_is_explained():
    """Codes that it shows by a text of its own."""
    explained = quoted((ROOT / "deploy" / "CODES.md").read_text(encoding="utf-8"))
    assert set(REFUSALS) <= explained, HINT
    whole = {code for code in FAILURES if not code.startswith(BEGINNINGS)}
    assert whole <= explained | {"declined"}, HINT


def test_an_operator_is_told_what_to_do_about_every_trouble_of_a_round():
    told = quoted(section("RUNBOOK.md", "## A round is not in order"))
    lookups = {"two_versions", "bad_opening", "buyer_silent", "zero_denied", "out_of_range"}
    assert told >= TROUBLES | lookups


@pytest.mark.parametrize("page", ["README.md", "RUNBOOK.md"])
def test_a_name_in_a_page_is_one_of_the_program(page):
    named = {name for name in quoted((ROOT / "deploy" / page).read_text(encoding="utf-8")) if "_" in name}
    assert len(named) > 10
    metrics = {name for name in named if name.startswith("deltaml_")}  # the dashboards' tests know them
    assert named - metrics - words_of_the_program() == set()
