"""A new market never shares a virtual host: applying its plan would cut off the other's queues."""

import pytest

from services.admin.market_broker import require_unshared
from services.bus.broker.drift import Difference
from services.bus.broker.management_client import ManagementAccess
from services.bus.broker.provisioning import BrokerPlan
from services.bus.broker.topology import ParticipantPlace, topology_of
from services.bus.naming import DEAD_QUEUE
from services.bus.port import BusRefused

ACCESS = ManagementAccess(url="http://127.0.0.1:15672", user="administrator", password_file="password")
PLAN = BrokerPlan(
    management=ACCESS,
    vhost="theirs",
    participants=(ParticipantPlace(role="model_buyer", address="0x" + "0b" * 20),),
)
NEW = [Difference("create", "queue", name) for name in topology_of(PLAN).queues]
THEIRS = [
    Difference("remove", "binding", "deltaml → deltaml.other (#)"),
    Difference("look", "queue", "deltaml.other", "not planned; it holds 3 messages"),
]


def test_a_virtual_host_of_its_own_is_fine_whatever_its_administrator_put_there():
    require_unshared(PLAN, NEW)
    require_unshared(
        PLAN, [*NEW, Difference("look", "policy", "ours"), Difference("look", "permission", "me")]
    )


@pytest.mark.parametrize("theirs", THEIRS)
def test_another_market_s_is_refused_with_the_plan(theirs):
    has_dead_letters = [one for one in NEW if one.name != DEAD_QUEUE]
    with pytest.raises(BusRefused) as refused:
        require_unshared(PLAN, [*has_dead_letters, theirs])
    assert "'theirs'" in str(refused.value)
    assert theirs.name in str(refused.value)
    assert has_dead_letters[0].name in str(refused.value)


def test_a_market_that_is_there_may_find_what_nobody_planned():
    require_unshared(PLAN, THEIRS)
    require_unshared(PLAN, [*NEW[2:], *THEIRS])


def test_a_long_plan_is_cut_off():
    with pytest.raises(BusRefused, match=r"and \d+ more"):
        require_unshared(PLAN, NEW + THEIRS * 40)
