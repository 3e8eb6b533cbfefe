"""Bytes of every message and of what blobs of checked rounds hold, by version: later ones must read them.

`python -m tests.support.roles.golden_messages` writes those of this version. They are the examples of the
catalogue, and of messages of checked rounds others in which every field is used.
"""

import json

from protocol.codec import pack
from protocol.messages import MESSAGE_TYPES
from protocol.messages.catalogue import MessageBody
from protocol.messages.examples import VECTOR
from protocol.messages.inference import InformationSum
from protocol.messages.rounds import (
    AttemptAnnounced,
    CheckedStarted,
    CheckVerdict,
    MomentRequest,
    ProvenUpdate,
    RingConsent,
    RingShared,
    RoundEvidence,
    ShownMetrics,
)
from protocol.messages.rounds.moments import LeftOutMember
from protocol.messages.rounds.values import AttemptDigests
from protocol.roles.aggregator.attempts import KeptMask, Rescaled
from protocol.roles.buyer.state import AskedNumbers
from protocol.roles.owner.committing import OwnerSecrets, SecretVector
from protocol.roles.rounds.carried import CarriedModels
from protocol.roles.rounds.ring_state import SharedNumbers
from protocol.roles.rounds.started import CommittedOwners
from protocol.types import FrozenModel
from tests.support.roles.golden_states import FOLDER, version

MESSAGES, CONTENTS = "messages.json", "contents.json"


def fuller() -> tuple[MessageBody, ...]:
    """Messages of checked rounds with all that their examples leave out."""
    evidence, shown = RoundEvidence.catalogue.example(), ShownMetrics.catalogue.example()
    assert isinstance(evidence, RoundEvidence)
    assert isinstance(shown, ShownMetrics)
    announced = AttemptAnnounced.catalogue.example()
    assert isinstance(announced, AttemptAnnounced)
    left_out = (
        LeftOutMember(member="0x" + "11" * 20, why="silent"),
        LeftOutMember(member="0x" + "22" * 20, why="named"),
    )
    update = ProvenUpdate.catalogue.example()
    assert isinstance(update, ProvenUpdate)
    asked = MomentRequest.catalogue.example()
    assert isinstance(asked, MomentRequest)
    digest = b"d" * 32
    digests = AttemptDigests(
        start=digest, updates=(digest, digest), request=digest, answer=digest, model=digest, product=digest
    )
    return (
        announced.model_copy(update={"left_out": left_out}),
        evidence.model_copy(update={"left_out": left_out, "refused": shown.verdicts[0]}),
        evidence.model_copy(update={"rescaled": (b"\4",)}),
        asked.model_copy(update={"repetition": 1}),
        update.model_copy(update={"head": digest}),
        CheckVerdict(in_order=True, digests=digests, projection=digest),
        CheckVerdict(in_order=False, ground="shown", evidence=shown.verdicts),
        RingShared(purpose="metric", share=(b"\5",), seed=b"s" * 32),
        RingConsent(purpose="metric", refused=True, shown=shown.verdicts[0]),
        InformationSum(silent=("0x" + "11" * 20,)),
    )


def message_bytes() -> dict[str, list[str]]:
    """The bytes that this version writes, in hexadecimal digits by type."""
    made = [kind.catalogue.example() for kind in MESSAGE_TYPES.values()]
    written: dict[str, list[str]] = {name: [] for name in MESSAGE_TYPES}
    for body in (*made, *fuller()):
        written[body.type].append(pack(body).hex())
    return written


def _contents() -> tuple[FrozenModel, ...]:
    """What blobs of checked rounds hold that is no message; the numbers are nobody's secrets."""
    row = SecretVector(values=(-(1 << 90), 5), hiding=1 << 200)
    started = CheckedStarted.catalogue.example()
    assert isinstance(started, CheckedStarted)
    return (
        AskedNumbers(request=(b"\5",), answer=(b"\6", b"\7")),
        CommittedOwners(owners=started.owners),
        CarriedModels(trainers=("0x" + "11" * 20,), models=(VECTOR,)),
        KeptMask(masks=(b"\5",), roots=(b"\6",)),
        OwnerSecrets(maps=(row,), gram=row),
        Rescaled(numbers=(b"\5", b"\6")),
        SharedNumbers(numbers=(b"\5", b"\6")),
        row,
    )


def stored_contents() -> tuple[type[FrozenModel], ...]:
    """Their types."""
    return tuple(type(one) for one in _contents())


def content_bytes() -> dict[str, list[str]]:
    """The bytes of each that this version writes, as `message_bytes` has them."""
    return {type(one).__name__: [pack(one).hex()] for one in _contents()}


def kept(name: str) -> dict[str, dict[str, list[str]]]:
    """What is kept in a file of this name, by version."""
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob(f"*/{name}"))}


def write() -> None:
    """Keep what this version writes."""
    for name, written in ((MESSAGES, message_bytes()), (CONTENTS, content_bytes())):
        (FOLDER / version() / name).write_text(json.dumps(written, indent=1) + "\n")


if __name__ == "__main__":
    write()
