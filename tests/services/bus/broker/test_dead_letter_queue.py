"""Every reason for which a message is refused, over a real broker: its letter, and what goes on untouched."""

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from protocol.messages import MAXIMUM_BODY_BYTES
from services.bus.amqp.chunking import CHUNK_BYTES
from services.bus.amqp.message_properties import message_of
from services.bus.naming import DEAD_QUEUE
from services.bus.port import UNDELIVERABLE
from services.runtime.effects import packed_message
from services.runtime.outbox_relay import OutboxRelay
from services.runtime.resources import Pace
from services.store import Store
from tests.support.daemons.command_line import refused, run, run_json
from tests.support.daemons.refusing_market import refusing_market
from tests.support.daemons.scripted_daemon import resources_of, until

ID = b"i" * 16
COMMAND = ("admin", "dead-letters")


@pytest.fixture
async def world(rabbitmq, tmp_path):
    async with refusing_market(rabbitmq, tmp_path) as made:
        yield made


async def reason_of_the_letter(world):
    (letter,) = await world.market.dead_letters()
    assert letter.routing_key.endswith(f".{letter.headers['code']}")
    return letter.headers["reason"], letter.headers["code"]


async def goes_on(world, inbox):
    """The message after the refused one comes in."""
    await world.bus.publish(world.message("next"))
    await until(lambda: inbox.store.waiting_inputs() == 1)
    assert inbox.said() == ["next"]


# ---- one reason after another ----


async def test_a_body_that_is_none_is_invalid(world):
    async with world.inbox() as inbox:
        await world.bus.publish(world.with_body(b"\xc1"))
        assert await reason_of_the_letter(world) == ("invalid", "malformed")
        await goes_on(world, inbox)


async def test_anothers_signature_is_unauthenticated(world):
    async with world.inbox() as inbox:
        await world.bus.publish(world.signed_by_another())
        assert await reason_of_the_letter(world) == ("unauthenticated", "bad_signature")
        await goes_on(world, inbox)


async def test_a_login_that_is_not_the_senders_is_unauthenticated(world):
    async with world.inbox() as inbox:
        await world.publish_raw(world.message("hello"), world.owner)
        assert await reason_of_the_letter(world) == ("unauthenticated", "wrong_user")
        await goes_on(world, inbox)


async def test_more_than_a_body_may_hold_is_oversized(world):
    async with world.inbox() as inbox:
        await world.publish_raw(
            world.message("large"), world.aggregator, part=0, parts=MAXIMUM_BODY_BYTES // CHUNK_BYTES + 1
        )
        assert await reason_of_the_letter(world) == ("oversized", "oversized")
        await goes_on(world, inbox)


async def test_an_id_with_another_content_is_replayed_and_the_same_again_is_not(world):
    first, other = (world.message(code, message_id=ID) for code in ("first", "other"))
    async with world.inbox() as inbox:
        for message in (first, first):
            await world.bus.publish(message)
        await until(lambda: inbox.store.waiting_inputs() == 1)
        assert inbox.said() == ["first"]
        await world.bus.publish(first)  # also after its step
        await world.bus.publish(other)
        assert await reason_of_the_letter(world) == ("replayed", "replayed")
        await goes_on(world, inbox)
        assert inbox.bus.dead_letters == {"replayed": 1}


async def test_a_replay_in_the_same_batch_is_told(world):
    for code in ("first", "other"):
        await world.bus.publish(world.message(code, message_id=ID))
    async with world.inbox() as inbox:
        assert await reason_of_the_letter(world) == ("replayed", "replayed")
        assert inbox.said() == ["first"]


async def undeliverable(world):
    """A message of the aggregator to an owner that no administrator knows; the letter is on the queue."""
    message = world.message("late", world.late)
    store = Store()
    store.add_effects("1", [packed_message(message)], 0.0)
    pace = Pace(first_pause=0.01, unroutable=0.05)
    relay = OutboxRelay(resources_of(world.aggregator, world.chain, store, world.bus, pace=pace))
    task = asyncio.create_task(relay.run())
    await until(lambda: store.waiting_effects() == 0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    facts = [(name, data) for name, data, _at in store.facts("1")]
    store.close()
    data = {"recipient": world.late.address, "type": "complaint", "code": UNDELIVERABLE}
    assert facts == [(UNDELIVERABLE, data)]
    return message


async def test_what_nobody_takes_is_undeliverable_after_a_while(world):
    message = await undeliverable(world)
    (letter,) = await world.market.dead_letters()
    assert (letter.headers["reason"], letter.headers["code"]) == (UNDELIVERABLE, UNDELIVERABLE)
    assert (letter.user_id, letter.body) == (world.aggregator.address, message.sealed)
    assert letter.message_id == message.envelope.message_id.hex()
    assert world.bus.dead_letters == {UNDELIVERABLE: 1}


# ---- the administrator ----


async def command(*arguments, **options):
    return await asyncio.to_thread(run_json, *COMMAND, *arguments, **options)


async def letters_of_two_kinds(world):
    """A forged message and a malformed one, refused in this order; the document to look with."""
    async with world.inbox():
        for message in (world.signed_by_another(), world.with_body(b"\xc1")):
            await world.bus.publish(message)
        await buried(world, 2)
    document = world.document()
    return document, await command("list", document)


async def buried(world, count):
    async with asyncio.timeout(300):
        while await world.market.depth(DEAD_QUEUE) != count:
            await asyncio.sleep(0.05)


async def test_letters_are_listed_and_shown_and_stay(world):
    document, listed = await letters_of_two_kinds(world)
    assert [one["code"] for one in listed] == ["bad_signature", "malformed"]
    assert [one["reason"] for one in listed] == ["unauthenticated", "invalid"]
    assert {one["written_by"] for one in listed} == {world.owner.address}
    assert [one["code"] for one in await command("list", document, "--code", "invalid")] == ["malformed"]
    (shown,) = await command("show", document, listed[0]["message_id"])
    assert shown == {**listed[0], "obstacle": None}
    assert shown["sender"] == shown["sent_as"] == world.aggregator.address
    told = await asyncio.to_thread(run, *COMMAND, "show", document, listed[1]["message_id"])
    assert "malformed" in told.stdout
    assert await command("list", document) == listed


async def test_letters_are_thrown_away_one_by_one_or_all(world):
    document, listed = await letters_of_two_kinds(world)
    first = listed[0]["message_id"]
    assert await command("purge", document, first, "--code", "malformed") == {"purged": []}
    assert await command("purge", document, first) == {"purged": [first]}
    assert await command("purge", document, "--all") == {"purged": [listed[1]["message_id"]]}
    assert await command("list", document) == []


async def test_all_has_to_be_said(world):
    document = world.document()
    for arguments in ((), ("--all", "--code", "invalid"), ("--all", "00")):
        for name in ("purge", "requeue"):
            said = await asyncio.to_thread(refused, *COMMAND, name, document, *arguments)
            assert "say which letters" in said
    assert "no dead letter" in await asyncio.to_thread(refused, *COMMAND, "show", document, "00")


async def test_a_recipient_that_is_provisioned_late_gets_its_message_after_all(world):
    message = await undeliverable(world)
    identity = message.envelope.message_id.hex()
    document = world.document(world.late)
    kept = await command("requeue", document, "--code", UNDELIVERABLE, status=1)
    assert kept["sent"] == []
    assert kept["kept"][0]["why"].startswith("no queue takes")
    await asyncio.to_thread(run, "admin", "broker", "apply", document)
    assert await command("requeue", document, identity) == {"sent": [identity], "kept": []}
    async with world.inbox(world.late) as inbox:
        await until(lambda: inbox.store.waiting_inputs() == 1)
        assert inbox.said() == ["late"]
    assert await command("list", document) == []


async def test_what_is_refused_again_comes_back_and_no_command_runs_for_ever(world):
    document, listed = await letters_of_two_kinds(world)
    with capture_logs():  # the command's output is what is printed in this process meanwhile
        async with world.inbox():
            done = await command("requeue", document, "--all")
            await buried(world, 2)
    assert sorted(done["sent"]) == sorted(one["message_id"] for one in listed)
    again = await command("list", document)
    assert sorted(one["code"] for one in again) == ["bad_signature", "malformed"]


async def test_nobody_plants_a_letter_that_speaks_for_another(world):
    """A participant may write letters: here one that would have another speak to a third."""
    planted = world.message("planted", world.late)
    channel = await world.market.channel(world.owner.address)
    exchange = await channel.get_exchange("deltaml.dead", ensure=False)
    headers = {
        "code": "late",
        "exchange": "deltaml",
        "routing_key": f"data_owner.{world.late.address}.complaint",
        "sent_as": world.aggregator.address,
    }
    letter = message_of(planted.envelope, planted.sealed, user=world.owner.address, headers=headers)
    await exchange.publish(letter, f"{world.owner.address}.late")
    done = await command("requeue", world.document(), "--all", status=1)
    assert done["sent"] == []
    assert "neither its sender nor its recipient" in done["kept"][0]["why"]


async def test_the_administrators_user_is_gone_after_the_command(world):
    await command("list", world.document())
    rights = await world.market.api.get("vhosts", world.market.vhost, "permissions")
    assert not [one for one in rights if one["user"].startswith("deltaml-admin-")]
