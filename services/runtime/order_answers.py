"""What a daemon answers its operator's orders: from the step that an order led to, or from its refusal."""

from collections.abc import Mapping
from typing import Any

from protocol.envelope import Envelope
from protocol.errors import ProtocolViolation
from protocol.roles.dispatch import EncodedStep
from protocol.roles.engine.effects import RecordFact, ReportViolation
from protocol.roles.engine.inputs import Input, MessageReceived
from services.records.order_answers import ACCEPTED, ORDERS, OrderAnswer

KeyedFact = tuple[str, tuple[str, Mapping[str, Any]]]
"""A fact with the key that it is noted under."""


def order_in(item: Input | None, own_address: str) -> Envelope | None:
    """The envelope of an order of this daemon's own operator; None for any other input."""
    if not isinstance(item, MessageReceived):
        return None
    envelope = item.signed.envelope
    return envelope if envelope.sender == own_address and envelope.type in ORDERS else None


def answer_by_step(order: Envelope | None, before: bytes | None, step: EncodedStep) -> KeyedFact | None:
    """An order is refused where its step reports a fault of it, or changes nothing and notes why."""
    if order is None:
        return None
    for effect in step.effects:
        if isinstance(effect, ReportViolation) and effect.envelope == order:
            return answered(order, OrderAnswer(effect.code, effect.detail, step.display_status))
    noted = [effect for effect in step.effects if isinstance(effect, RecordFact)]
    if step.state == before and noted:
        return answered(order, OrderAnswer(noted[0].name, "", step.display_status, noted[0].data))
    return answered(order, OrderAnswer(ACCEPTED, state=step.display_status))


def answer_by_refusal(order: Envelope | None, violation: ProtocolViolation) -> KeyedFact | None:
    """An order that was refused before any step could take it."""
    return None if order is None else answered(order, OrderAnswer(violation.code, violation.detail))


def answered(order: Envelope, answer: OrderAnswer) -> KeyedFact:
    """The fact that tells the answer."""
    return answer.fact(order.message_id, order.type)
