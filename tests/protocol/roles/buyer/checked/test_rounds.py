"""The buyer's part in an honest attempt, from the moments to the record, against plain numbers."""

import numpy as np
import pytest
from gmpy2 import mpz

from protocol.crypto.cipher import Opening as Opened
from protocol.crypto.cipher import write_ciphertexts
from protocol.crypto.randomness import Randomness
from protocol.crypto.ring.context import Maker
from protocol.learning.checked_openings.sums import vectors_out_of_range
from protocol.learning.projection.answer import is_zero, read_projection_answer
from protocol.crypto.cipher import read_ciphertexts, verify_openings
from protocol.learning.projection.countersigning import consent
from protocol.learning.scales import MODEL_SCALE
from protocol.learning.shapley import mse_after_fixed
from protocol.crypto.secrets import OneUse
from protocol.messages.checked import (
    ProjectionRequest,
    RingOpeningRequest,
    ZeroTestRequest,
)
from protocol.records import FIXED_POINT
from protocol.roles.buyer.checked.checks import (
    on_projection_request,
    on_ring_opening_request,
    on_zero_test_request,
)
from protocol.roles.buyer.checked.opening import on_metric_opening_request
from protocol.roles.buyer.checked.rounds import on_attempt_announced, on_moment_request
from protocol.roles.checked import ring
from protocol.signatures import recover_address, sign_digest
from tests.support.roles.checked_attempt import (
    CheckedAttempt,
    MeasuredAttempt,
    answers,
    blobs_of,
    checked_attempt,
)
from tests.support.roles.pure_contract import MARKET

STREAM = Randomness(b"b" * 32)


def measured() -> tuple[CheckedAttempt, MeasuredAttempt, object]:
    world = checked_attempt()
    step = on_moment_request(world.running(), world.sent(world.aggregator, world.moment_request), world.context())
    state = on_attempt_announced(
        step.state, world.sent(world.aggregator, world.announced), world.context()
    ).state
    return world, MeasuredAttempt(world, answers(step)[0]), state
