"""What a request may ask for before anything is sent: the plaintexts' room, and the contract's."""

import pytest

from protocol.errors import WidthError
from protocol.learning.shapley import mse_after_fixed
from protocol.marketplace import validator_count
from protocol.records import FIXED_POINT
from protocol.request_parsing import parse_request
from protocol.roles.shared.request_widths import CONTRACT_METRIC_BITS, check_widths
from tests.support.deployment.documents import any_request
from tests.support.roles.small_markets import small_request

OWNERS = 64


def request_of(residual_bits):
    bounds = {"min_rows": 5, "residual_bits": residual_bits}
    owners = {"minimum": 4, "maximum": OWNERS}
    values = small_request(bounds=bounds, owners=owners, key_bits=3072)
    return parse_request({**values, "aggregator": "0x" + "11" * 20})


def test_the_largest_errors_that_pass_fit_into_the_contract():
    passing = [bits for bits in range(16, 65) if fits(bits)]
    trainers = OWNERS - validator_count(OWNERS)
    largest = max(passing)
    cross = trainers * 2 ** (2 * largest) * FIXED_POINT
    assert cross < 1 << CONTRACT_METRIC_BITS
    assert mse_after_fixed([cross] * trainers, trainers) < 1 << CONTRACT_METRIC_BITS
    assert passing == list(range(16, largest + 1))


def test_what_the_contract_would_refuse_is_told_with_the_bound():
    with pytest.raises(WidthError, match=r"residual_bits is 40.*contract takes errors of 31 bits.*lower it"):
        check_widths(request_of(40))


def test_a_schedule_that_the_contract_has_no_room_for_is_told_with_a_remedy_that_helps():
    features = [{"name": f"x{number}", "minimum": 0, "maximum": 1} for number in range(4096)]
    longest = {"rounds": 10_000, "local_steps": 1_000_000}
    wide = any_request(features=features, schedule=longest, start={"start": "zero"})
    with pytest.raises(WidthError, match=r"schedule may need errors of 33 bits; .*: ask for fewer rounds"):
        check_widths(wide)
    check_widths(
        any_request(features=features, schedule={**longest, "rounds": 1000}, start={"start": "zero"})
    )


def fits(bits):
    try:
        check_widths(request_of(bits))
    except WidthError:
        return False
    return True
