"""Steps that a test process has taken before: roles are pure, and hundreds of tests begin alike."""

from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache

from protocol.envelope import Envelope, SignedMessage
from protocol.records import Market
from protocol.roles import dispatch
from protocol.roles.dispatch import EncodedStep, RoleModule
from protocol.roles.engine.context import Context
from protocol.roles.engine.inputs import Input
from protocol.roles.engine.machine import Observer

KEPT = 3000
_steps: OrderedDict[tuple[object, ...], tuple[RoleModule, EncodedStep]] = OrderedDict()


def remembered_step(
    role: str,
    state: bytes | None,
    item: Input,
    context: Context,
    observe: Observer,
    roles: Mapping[str, RoleModule],
) -> EncodedStep:
    """`dispatch.run_step`, whose outcome is known where everything that it may depend on is the same."""
    key = (role, id(roles[role]), state, item, *_known(context))
    if key in _steps:
        _steps.move_to_end(key)
        return _steps[key][1]
    step = dispatch.run_step(role, state, item, context, observe, roles)
    _steps[key] = roles[role], step  # while the module is kept, no other has its id
    if len(_steps) > KEPT:
        _steps.popitem(last=False)
    return step


def _known(context: Context) -> tuple[object, ...]:
    values = (getattr(context, name) for name in Context.__dataclass_fields__ if name != "_stream")
    return tuple(frozenset(one.items()) if isinstance(one, Mapping) else one for one in values)


@lru_cache(KEPT)
def remembered_message(envelope: Envelope, body: bytes, signing_key: bytes) -> SignedMessage:
    """The message, signed. Signatures of one body by one key are the same."""
    return SignedMessage.create(envelope, body, signing_key)


@lru_cache(KEPT)
def verify_once(message: SignedMessage, market: Market) -> None:
    """Raises ProtocolViolation for a signature that does not verify, each time."""
    message.verify(market)


def forget() -> None:
    """For a test that replaces a part of the protocol: its steps are not those of others."""
    _steps.clear()
    remembered_message.cache_clear()
    verify_once.cache_clear()
