"""The soak's short form: three trainings at once, then some hours with one disturbance of each kind."""

from tests.soak.run import Plan, soak
from tests.soak.test_soak import KINDS


async def test_every_training_ends_and_nothing_is_left(tmp_path, rabbitmq):
    plan = Plan(at_once=3, hours=3, per_hour=1, seconds_per_hour=5, owners=6, buyers=2, seed=39, quick=True)
    report = await soak(plan, tmp_path, rabbitmq)  # checks queues and every wei
    assert report.at_once is not None
    assert report.at_once.endings == {"FINISHED": 3}
    assert report.at_once.dead_letters == {}
    assert report.life is not None
    assert report.life.dead_letters == {}
    assert report.life.endings.get("FINISHED", 0) > 0
    assert sum(report.life.endings.values()) == report.life.trainings
    assert report.on_chain.get("settled", 0) >= 3
    assert set(report.disturbances) == KINDS
    assert {"listener", "buyer", "aggregator", "owner"} == set(report.memory)
