"""What a real broker has otherwise or too much is told; taps are removed."""

from services.bus.naming import CHAIN_EXCHANGE, EXCHANGE, queue_name
from tests.support.broker.amqp_market import AmqpMarket
from tests.support.broker.bus_messages import outgoing


async def test_a_tap_is_found_and_removed(market: AmqpMarket) -> None:
    channel = await market.channel()
    tap = await channel.declare_queue("tap", durable=True)
    await tap.bind(EXCHANGE, "#")
    assert [(one.action, one.kind, one.name) for one in await market.plan() if one.kind != "permission"] == [
        ("look", "queue", "tap"),
        ("remove", "binding", f"{EXCHANGE} → tap (#)"),
    ]
    await market.apply()
    await market.bus(market.aggregator).publish(outgoing("data_owner", market.aggregator, market.owner))
    assert await market.depth("tap") == 0


async def test_a_tap_with_arguments_and_one_of_an_exchange_are_removed(market: AmqpMarket) -> None:
    channel = await market.channel()
    own = await channel.get_queue(queue_name("data_owner", market.owner), ensure=False)
    await own.bind(EXCHANGE, f"data_owner.{market.owner}.*", arguments={"x": "y"})
    tap = await channel.declare_exchange("tap", "fanout", durable=True)
    await tap.bind(EXCHANGE, "#")
    removed = {difference.name for difference in await market.apply() if difference.action == "remove"}
    assert removed == {f"{EXCHANGE} → {own.name} (data_owner.{market.owner}.*)", f"{EXCHANGE} → tap (#)"}
    assert [difference for difference in await market.plan() if difference.action != "look"] == []


async def test_rights_elsewhere_and_policies_of_nobody_are_left_to_a_person(market: AmqpMarket) -> None:
    other = f"{market.vhost}-other"
    await market.api.put("vhosts", other)
    rights = {"configure": "^$", "read": "^$", "write": "^$"}
    await market.api.put("permissions", other, market.owner, body=rights)
    policy = {"pattern": "x", "definition": {"max-length": 1}, "apply-to": "queues"}
    await market.api.put("policies", market.vhost, "private", body=policy)
    try:
        looked = {
            (difference.kind, difference.name, difference.detail)
            for difference in await market.apply()
            if difference.action == "look" and difference.name != market.server.user
        }
        assert looked == {
            ("policy", "private", "not planned; it may change what our queues keep"),
            ("permission", market.owner, f"has rights in virtual host {other} that are not planned"),
        }
    finally:
        await market.api.delete("vhosts", other)


async def test_an_exchange_that_sends_copies_elsewhere_is_a_conflict(market: AmqpMarket) -> None:
    await market.api.delete("exchanges", market.vhost, CHAIN_EXCHANGE)
    body = {"type": "topic", "durable": True, "arguments": {"alternate-exchange": "amq.fanout"}}
    await market.api.put("exchanges", market.vhost, CHAIN_EXCHANGE, body=body)
    conflicts = [difference.name for difference in await market.plan() if difference.action == "conflict"]
    assert conflicts == [CHAIN_EXCHANGE]
