"""What exchanges, queues and routing keys are called: the daemons and the administrator's plan agree here."""

EXCHANGE = "deltaml"
"""Topic exchange of messages; routing key `<recipient role>.<recipient address>.<message type>`."""

CHAIN_EXCHANGE = "deltaml.chain"
"""Topic exchange of contract events; routing key `<seen|confirmed>.<event>.<training>`."""

DEAD_EXCHANGE = "deltaml.dead"
"""Topic exchange of dead letters: key `<refusing address>.<code>`, from the broker the message's."""

DEAD_QUEUE = "deltaml.dead.letters"

STREAMS = ("confirmed", "seen")
"""What copies of contract events a participant has: of those of final blocks, and of all at once."""


def queue_name(role: str, address: str) -> str:
    """The queue of a participant's messages."""
    return f"{EXCHANGE}.{role}.{address}"


def event_queue_name(stream: str, address: str) -> str:
    """The queue of a participant's copy of a stream of contract events."""
    suffix = "" if stream == "confirmed" else f".{stream}"
    return f"{CHAIN_EXCHANGE}.{address}{suffix}"


def message_key(role: str, address: str, message_type: str) -> str:
    """The routing key of a message to a participant."""
    return f"{role}.{address}.{message_type}"


def event_key(stream: str, event: str, training: int) -> str:
    """The routing key of a contract event."""
    return f"{stream}.{event}.{training}"


def dead_key(address: str, code: str) -> str:
    """The routing key of a dead letter of this participant."""
    return f"{address}.{code}"
