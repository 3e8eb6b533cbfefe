"""The engine alone, under a role of two phases: what is handled, held, refused, observed and read."""

from typing import Literal

import pytest

from protocol.codec import pack
from protocol.errors import ProtocolViolation
from protocol.marketplace import Cancel, Cancelled, Settle, Settled
from protocol.messages import ChainEvent, RequestAnswer, StopOrder
from protocol.roles.engine import timers
from protocol.roles.engine.context import Context, Step
from protocol.roles.engine.inputs import (
    UNKNOWN_TRAINING,
    CallRefused,
    EventConfirmed,
    PolicyChanged,
    Received,
    Refused,
    TimerFired,
)
from protocol.roles.engine.machine import Machine
from protocol.roles.engine.refusals import EarlyInput, StaleInput
from protocol.roles.engine.state import PhaseState, enter, phase_of, replace
from protocol.roles.engine.table import (
    STAYS,
    on_change,
    on_event,
    on_message,
    on_refusal,
    on_timer,
    on_training_gone,
)
from protocol.types import RoundAttempt
from tests.support.roles.phases import message_of
from tests.support.roles.pure_contract import MARKET
from tests.support.roles.pure_party import Party

SENDER, ROLE = Party("model_buyer", b"\1" * 32, b"\1" * 32), Party("data_owner", b"\2" * 32, b"\2" * 32)


class DayState(PhaseState):
    phase: Literal["day"] = "day"
    heard: tuple[str, ...] = ()


class NightState(PhaseState):
    phase: Literal["night"] = "night"
    training: int
    heard: tuple[str, ...] = ()
    at: int = 0


def hear(state, content, _context):
    return Step(replace(state, heard=(*state.heard, repr(content))))


def fall_asleep(state: DayState, event: Settled, _context: Context) -> Step[PhaseState]:
    return Step(enter(NightState, state, training=event.training), (timers.JOIN.cancel(),))


def too_late(_state, _content, _context):
    raise StaleInput


ROWS = (
    on_message(DayState, RequestAnswer, hear).because("Told."),
    on_timer(DayState, timers.CHECKS, hear).because("Told."),
    on_refusal(DayState, Settle, hear).because("Told."),
    on_training_gone(DayState, hear).because("Told."),
    on_event(DayState, Settled, fall_asleep, then=NightState).because("Told."),
    on_change((DayState, NightState), PolicyChanged, hear).because("Told."),
    on_message(NightState, StopOrder, too_late, then=(STAYS, DayState)).because("Told."),
)
MACHINE: Machine[PhaseState] = Machine("test", (DayState, NightState), ROWS)


def context() -> Context:
    return Context(address=ROLE.address, market=MARKET, now=0.0, seed=b"s" * 32, signing_key=b"")


def step(state, item, **options):
    return MACHINE.step(state, item, context(), **options)


def confirmed(event):
    place = {"block_hash": b"\0" * 32, "transaction_hash": b"\0" * 32, "log_index": 0, "timestamp": 0}
    return EventConfirmed(chain_event=ChainEvent(event=event, chain_id=1, block_number=1, **place))


SETTLED = confirmed(Settled(training=7, improvement=0, paid=0, refund=0))


def test_phases_and_names_follow_from_the_types() -> None:
    assert MACHINE.phases == ("day", "night")
    assert phase_of(NightState) == "night"
    assert set(MACHINE.table["day"]) == {
        "request_answer",
        "timer:checks",
        "refused:settle",
        "training_gone",
        "Settled",
        "policy_changed",
    }


def test_a_handler_gets_its_input_in_its_own_type() -> None:
    answer = RequestAnswer(accepted=True, code="accepted")
    message = message_of(SENDER, ROLE, "request_answer", pack(answer), 3, 2)
    given = [
        (message, Received(message.signed, answer)),
        (TimerFired(name="checks:3.2"), RoundAttempt(3, 2)),
        (CallRefused(call=Settle(training=7), code="too_early"), Refused(Settle(training=7), "too_early")),
        (CallRefused(call=Cancel(training=7), code=UNKNOWN_TRAINING),) * 2,
        (PolicyChanged(), PolicyChanged()),
    ]
    for item, content in given:
        assert step(DayState(), item).state.heard == (repr(content),)
    assert Received(message.signed, answer).at == RoundAttempt(3, 2)


def test_another_phase_keeps_what_both_remember() -> None:
    after = step(DayState(heard=("x",)), SETTLED)
    assert after.state == NightState(training=7, heard=("x",))
    assert after.progressed


def test_what_a_later_phase_allows_is_early_and_what_none_allows_is_noted() -> None:
    with pytest.raises(EarlyInput):
        step(DayState(), message_of(SENDER, ROLE, "stop_order", b""))
    state = NightState(training=7)
    for item in (SETTLED, confirmed(Cancelled(training=7, refund=0))):
        ignored = step(state, item)
        assert (ignored.state, ignored.progressed) == (state, False)
        assert [effect.name for effect in ignored.effects] == ["input_ignored"]


def test_a_stale_input_is_noted_and_nobody_observes_it() -> None:
    seen: list[object] = []
    order = message_of(SENDER, ROLE, "stop_order", pack(StopOrder(training=7, reason="r")))
    late = step(NightState(training=7), order, observe=lambda *transition: seen.append(transition))
    assert [effect.name for effect in late.effects] == ["input_late"]
    assert not late.progressed
    assert not seen


def test_an_observer_sees_row_state_and_step() -> None:
    seen: list[tuple[object, ...]] = []
    after = step(DayState(), SETTLED, observe=lambda *transition: seen.append(transition))
    assert seen == [(MACHINE.table["day"]["Settled"], DayState(), after)]


def test_a_row_tells_where_its_input_leads() -> None:
    assert MACHINE.table["day"]["Settled"].next_phases("day") == ("night",)
    assert MACHINE.table["night"]["policy_changed"].next_phases("night") == ("night",)
    assert MACHINE.table["night"]["stop_order"].next_phases("night") == ("night", "day")


class EverythingState(PhaseState):
    """As an earlier version had it: one type with the fields of all phases."""

    heard: tuple[str, ...] = ()
    at: int = 0
    training: int | None = None
    failure: str | None = None


def test_a_state_is_read_in_its_phase_s_type_without_other_fields() -> None:
    assert MACHINE.read(pack(EverythingState(phase="day", at=5, heard=("x",)))) == DayState(heard=("x",))
    night = NightState(training=7, at=5)
    assert MACHINE.read(pack(night)) == night
    assert MACHINE.read(pack(EverythingState(phase="night", training=7, at=5, failure="f"))) == night


def test_a_state_that_was_written_here_is_read_as_it_was_and_another_is_checked() -> None:
    night = NightState(training=7, at=5)
    content = MACHINE.write(night)
    assert MACHINE.read(bytes(bytearray(content))) is night
    assert content == pack(night)
    with pytest.raises(ProtocolViolation, match="malformed"):
        MACHINE.read(content[:-1])


@pytest.mark.parametrize(
    "content",
    [b"", b"\xc1", pack(EverythingState(phase="dusk")), pack(EverythingState(phase="night")), b"\x80"],
    ids=["empty", "not msgpack", "unknown phase", "field missing", "no phase"],
)
def test_what_cannot_be_read_as_a_state(content: bytes) -> None:
    with pytest.raises(ProtocolViolation, match="malformed"):
        MACHINE.read(content)


def test_a_state_takes_no_unknown_field() -> None:
    for change in (
        lambda: replace(DayState(), tired=True),
        lambda: enter(NightState, DayState(), training=7, tired=True),
        lambda: enter(NightState, DayState()),
    ):
        with pytest.raises(ValueError, match=r"tired|training"):
            change()
