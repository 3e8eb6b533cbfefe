"""What was wrong in a training's rounds and who is to blame: out of facts, each only once."""

import re
from pathlib import Path

from protocol.roles.engine.facts import FACTS
from protocol.roles.rounds.faults import SILENCES
from services.cli.follow import TOLD
from services.console.presentation.labels import CONTESTED, FAILURES, LEFT_OUT
from services.console.presentation.timeline import TEXTS
from services.records.round_checks import (
    CODES,
    CODES_OF,
    ENDS,
    FAULTS,
    GROUNDS,
    NOBODY,
    TROUBLES,
    Blamed,
    Checks,
    Objection,
    RoundChecks,
    checks_of,
)
from services.records.training_history import FAILURES as LOOKED_INTO

LIAR, OTHER = "0x" + "a1" * 20, "0x" + "a2" * 20


def facts_of(*told):
    return [(name, data, float(at)) for at, (name, data) in enumerate(told)]


def failed(code, attempt=1, checker=LIAR):
    return "check_failed", {"checker": checker, "round": 2, "attempt": attempt, "code": code}


def dropped(code, who=LIAR):
    return "dropped", {"participant": who, "round": 2, "attempt": 1, "code": code}


def over(code=None, attempt=1):
    about = {} if code is None else {"code": code}
    return "attempt_over", {"round": 2, "attempt": attempt, **about}


def test_a_lie_told_thrice_blames_its_maker_once():
    complaint = ("complaint", {"accused": LIAR, "round": 2, "code": "false_complaint"})
    told = facts_of(
        failed("products_contested"), complaint, dropped("false_complaint"), over("false_complaint")
    )
    (round_checks,) = checks_of(told).rounds
    assert checks_of(told).blamed == (Blamed(LIAR, "false_complaint", 2),)
    assert round_checks == RoundChecks(
        2, over=((1, "false_complaint"),), objections=(Objection(LIAR, 1, "products_contested"),)
    )
    assert round_checks.attempts == 2


def test_what_a_party_has_seen_itself_is_told_apart():
    seen = ("named", {"accused": LIAR, "round": 2, "attempt": 1, "code": "false_share"})
    for told in (facts_of(seen, dropped("false_share")), facts_of(dropped("false_share"), seen)):
        assert checks_of(told).blamed == (Blamed(LIAR, "false_share", 2, seen=True),)


def test_silence_blames_nobody():
    found = checks_of(facts_of(dropped("metric_late"), dropped("metric_late"), over()))
    assert found.blamed == ()
    assert found.rounds == (RoundChecks(2, over=((1, ""),), missing=((LIAR, "metric_late"),)),)


def test_the_end_blames_whom_nothing_else_names():
    end = {"code": "too_few_validators", "last_round": 1, "accused": LIAR}
    alone = checks_of(facts_of(("gave_up", end)))
    assert alone == Checks(
        blamed=(Blamed(LIAR, "too_few_validators", None),), gave_up=end["code"], last_round=1
    )
    known = checks_of(facts_of(dropped("false_complaint"), ("gave_up", end)))
    assert known.blamed == (Blamed(LIAR, "false_complaint", 2),)
    silent = {"code": "too_few_validators", "last_round": 1, "silent": [LIAR, OTHER]}
    missed = checks_of(facts_of(("gave_up", silent)))
    assert (missed.blamed, missed.silent) == ((), (LIAR, OTHER))
    nobody = checks_of(facts_of(("gave_up", {"code": "implausible", "last_round": 0})))
    assert (nobody.blamed, nobody.gave_up, nobody.is_clean) == ((), "implausible", False)


def test_a_training_without_trouble_is_clean():
    assert checks_of(facts_of(("started", {}), ("round_recorded", {"round": 1}))).is_clean
    assert checks_of(facts_of(("implausible", {"round": 1}))).rounds == (RoundChecks(1, is_implausible=True),)


def test_every_trouble_is_shown_wherever_people_look():
    assert set(FACTS) >= TROUBLES
    assert set(TEXTS) >= TROUBLES, "the console's time line"
    assert set(TOLD) >= TROUBLES, "deltaml show --follow"
    assert LOOKED_INTO >= TROUBLES, "deltaml history --failures"


def test_every_fact_of_a_round_that_names_a_party_or_an_attempt_is_a_trouble():
    about = {"checker", "accused", "participant", "attempt"}
    named = {name for name, fact in FACTS.items() if about & (fact.keys | fact.more)}
    outside = {"violation", "accused"}  # of one input, and of what the contract was shown
    assert named - outside <= TROUBLES


def test_every_code_is_a_silence_a_fault_an_objection_or_nobodys():
    sets = (GROUNDS, SILENCES, NOBODY, FAULTS)
    assert sum(map(len, sets)) == len(CODES)
    assert set(CONTESTED) == GROUNDS
    assert set(LEFT_OUT) == CODES - GROUNDS - set(FAILURES)


def test_every_end_that_an_aggregator_gives_is_counted_by_its_code():
    roles = Path(__file__).parents[3] / "protocol" / "roles" / "aggregator"
    calls = re.compile(r'\b(?:give_up|ended)\(\s*\w+,\s*"(\w+)"')
    given = {code for path in roles.rglob("*.py") for code in calls.findall(path.read_text())}
    assert len(given) > 9
    assert given <= ENDS
    assert set(FAILURES) >= ENDS
    assert set(CODES_OF) == TROUBLES
