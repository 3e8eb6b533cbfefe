"""A market from nothing: `deltaml admin market init` on a node and a broker, then a daemon that registers."""

import asyncio
import secrets
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import psycopg
import pytest
from psycopg import sql

from protocol.records import Market
from services.admin.market_plan import LEAST_OWNERS
from services.bus.broker.management_client import ManagementAccess, connected
from services.bus.broker.provisioning import load_plan, plan_broker
from services.chain.contract.client import MarketplaceClient
from services.chain.rpc.http import HttpRpc
from services.common.documents import load_request, read_yaml
from services.config.daemons import load
from services.console.auth.accounts import Accounts
from services.data.catalog import Catalog
from services.data.row_files import column_names
from services.identity.keystore import Cost, Keystore
from tests.support.chain.anvil import running_anvil
from tests.support.daemons.command_line import ask, refused, run, run_json
from tests.support.daemons.daemon_market import DaemonProcess

CHEAP = Cost(2, 1, 8192)
OWNERS = 5
START_SECONDS = 300


@pytest.fixture
def cheap(monkeypatch):
    monkeypatch.setattr("services.identity.keystore.Cost", lambda: CHEAP)


@pytest.fixture(scope="module")
def node():
    with running_anvil() as url:
        yield url


def apart(*arguments, **options):
    """A command that runs an event loop of its own, while this test has one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(run_json, *arguments, **options).result()


def init(folder, node, rabbitmq, administrator, vhost, *more):
    return (
        *("admin", "market", "init", folder, "--chain", node, "--broker", rabbitmq.amqp_url),
        *("--broker-management", rabbitmq.management_url, "--administrator", rabbitmq.user),
        *("--administrator-password-file", administrator, "--vhost", vhost),
        *("--confirmations", "0", "--owners", OWNERS, *more),
    )


@pytest.fixture
def administrator(tmp_path, rabbitmq):
    path = tmp_path / "administrator"
    path.touch(mode=0o600)
    path.write_text(rabbitmq.password)
    return path


@pytest.fixture
def port(unused_tcp_port):
    """The first of a few ports; the aggregator's is the third."""
    return min(unused_tcp_port, 64_000) - 2


async def remove(plan):
    async with connected(plan.management) as api:
        await api.delete("vhosts", plan.vhost)
        for user in (*(one.address for one in plan.participants), plan.chain_listeners[0].user):
            await api.delete("users", user)


async def test_a_market_is_set_up_and_its_aggregator_registers(
    tmp_path, cheap, node, rabbitmq, administrator, port
):
    folder = tmp_path / "market"
    command = init(folder, node, rabbitmq, administrator, f"init-{secrets.token_hex(4)}")
    command = (*command, "--metrics-port", port)
    made = apart(*command)
    plan = load_plan(folder / "broker.yaml")
    try:
        check_folder(folder, made)
        assert [one.kind for one in await plan_broker(plan) if one.action != "look"] == []
        check_another_is_refused(tmp_path, node, rabbitmq, administrator, plan.vhost)
        assert [one for one in await plan_broker(plan) if one.action != "look"] == []
        await check_daemon(folder, made, node)
        again = apart(*command)
        assert again["written"] == []
        assert set(again["kept"]) == set(made["written"])
        assert {name: again[name] for name in ("contract", "parties")} == {
            name: made[name] for name in ("contract", "parties")
        }
        fewer = [LEAST_OWNERS if one == OWNERS else one for one in command]
        with ThreadPoolExecutor(1) as pool:
            assert "was made for 5 owners" in pool.submit(refused, *fewer).result()
    finally:
        await remove(plan)


def check_another_is_refused(tmp_path, node, rabbitmq, administrator, vhost):
    """Another market cannot be put into the same virtual host; the first one's queues stay bound."""
    other = tmp_path / "other"
    with ThreadPoolExecutor(1) as pool:
        command = init(other, node, rabbitmq, administrator, vhost)
        told = pool.submit(run, *command, status=3).result().stderr
    assert f"the virtual host {vhost!r} holds what is not this market's" in told
    assert "remove   binding" in told
    assert not (other / "broker.yaml").exists()


def check_folder(folder, made):
    names = ["buyer", "aggregator", *(f"owner-{number}" for number in range(1, OWNERS + 1))]
    assert list(made["parties"]) == names
    for place in folder.rglob("*"):
        assert place.stat().st_mode & 0o077 == 0, f"others can reach {place}"
    passwords = {path.read_text() for path in folder.glob("*/broker-password")}
    assert len(passwords) == len(names) + 1
    for name in names:
        config = load(folder / name / "config.yaml")
        assert config.chain.contract == made["contract"]
        keystore = Keystore.open(config.keystore, config.passphrase_file.read_text().strip())
        assert keystore.identity.address == made["parties"][name]
        assert f"//{made['parties'][name]}@" in config.broker.url
    assert load(folder / "chain-listener" / "config.yaml", "chain-listener").metrics_port is not None
    owners = [made["parties"][name] for name in names[2:]]
    assert list(load(folder / "aggregator" / "config.yaml", "aggregator").admitted) == owners
    rows = 0
    request = load_request(folder / "buyer" / "request.yaml")
    for name in names[2:]:
        (entry,) = Catalog(folder / name / "datasets").list()
        rows += entry.rows
        assert column_names(entry.source) == tuple(one.name for one in (*request.features, request.target))
    assert rows == 442
    assert request.aggregator == made["parties"]["aggregator"]


async def answers(config, until):
    """Wait for /health: on a busy machine it may take longer than the command waits for it."""
    while True:
        asked = await asyncio.to_thread(ask, "health", "--config", config)
        if asked.exit_code == 0:
            assert '"ok"' in asked.stdout
            return
        assert time.monotonic() < until, asked.output
        await asyncio.sleep(0.5)


async def check_daemon(folder, made, node, console=None):
    """The aggregator's process registers on chain, answers /health, and ends when told to."""
    config = folder / "aggregator" / "config.yaml"
    assert "no daemon answers" in refused("health", "--config", config, status=3)
    daemon = DaemonProcess("aggregator", "aggregator", config)
    daemon.start()
    try:
        market = Market(chain_id=made["chain_id"], contract=made["contract"])
        async with HttpRpc(node) as rpc:
            client = MarketplaceClient(rpc, market)
            until = time.monotonic() + START_SECONDS
            while await client.role_of(made["parties"]["aggregator"]) != "federated_aggregator":
                assert daemon.process.poll() is None, daemon.log.read_text()
                assert time.monotonic() < until, daemon.log.read_text()
                await asyncio.sleep(0.1)
        await answers(config, until)
        if console is not None:
            await check_console(folder / "aggregator", console)
        assert daemon.stop() == 0
    finally:
        if daemon.process.poll() is None:
            daemon.kill()


async def test_stores_in_postgresql_and_consoles_with_certificates(
    tmp_path, cheap, node, rabbitmq, administrator, port, postgresql
):
    folder, server = tmp_path / "market", urlsplit(postgresql)
    password = tmp_path / "postgresql-administrator"
    password.touch(mode=0o600)
    password.write_text(server.password)
    vhost = f"init-{secrets.token_hex(4)}"
    place = f"{server.hostname}:{server.port}"
    command = init(folder, node, rabbitmq, administrator, vhost, "--metrics-port", port)
    command += ("--postgresql", f"postgresql://{server.username}@{place}")
    command += ("--postgresql-password-file", password, "--console-port", port + 20)
    made = apart(*command, "--console-host", "0.0.0.0")
    names = ["chain-listener", *made["parties"]]
    try:
        check_stores(folder, names, place)
        config = load(folder / "aggregator" / "config.yaml", "aggregator")
        assert (config.console.host, config.console.port) == ("0.0.0.0", port + 21)
        await check_daemon(folder, made, node, console=config.console)
        assert apart(*command, "--console-host", "0.0.0.0")["written"] == []
    finally:
        await remove(load_plan(folder / "broker.yaml"))
        with psycopg.connect(postgresql, autocommit=True) as connection:
            for name in names:
                database = sql.Identifier(f"{vhost}_{name}".replace("-", "_"))
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(database))


def check_stores(folder, names, place):
    """Each daemon gets into its own database, with its own password, and into no other's."""
    passwords = {name: (folder / name / "store-password").read_text().strip() for name in names}
    assert len(set(passwords.values())) == len(names)
    urls = {}
    for name in names:
        config = load(folder / name / "config.yaml")
        assert config.store_password() == passwords[name]
        assert place in config.store
        urls[name] = config.store
        psycopg.connect(config.store, password=passwords[name]).close()
    foreign = urls["buyer"].rpartition("/")[0] + "/" + urls["aggregator"].rpartition("/")[2]
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(foreign, password=passwords["buyer"])


async def check_console(folder, console):
    """The sign-in page is there, under the party's own certificate alone, and the account works."""
    trusted = ssl.create_default_context(cafile=console.certificate_file)
    url = f"https://localhost:{console.port}/"
    async with aiohttp.ClientSession() as session, session.get(url, ssl=trusted) as answer:
        assert answer.status == 200
        assert "password" in await answer.text()
    account = Accounts(console.users_file).verify(
        "operator", (folder / "console-password").read_text().strip()
    )
    assert account.role == "operator"


def test_what_cannot_work_is_told_before_anything_is_made(tmp_path, cheap, node, rabbitmq, administrator):
    folder = tmp_path / "market"
    command = init(folder, node, rabbitmq, administrator, "never")
    last = dict(zip(command[4::2], command[5::2], strict=True))

    def with_option(name, value):
        options = {**last, name: value}
        return (*command[:4], *(part for pair in options.items() for part in pair))

    assert "give 4" in refused(*with_option("--owners", LEAST_OWNERS - 1))
    assert "without user or password" in refused(*with_option("--broker", "amqp://me:secret@host"))
    assert "--vhost" in refused(*with_option("--broker", "amqp://host:5672/other"))
    assert "without user or password" in refused(*with_option("--chain", "ftp://host"))
    assert "--postgresql-password-file" in refused(*command, "--postgresql", "postgresql://me@host")
    assert "postgresql://administrator" in refused(*command, "--postgresql", "postgresql://host/database")
    assert "there is no file" in refused(*with_option("--data", tmp_path / "none.csv"))
    assert not folder.exists()


def test_a_node_that_mines_on_demand_cannot_confirm(tmp_path, cheap, node, rabbitmq, administrator):
    command = init(tmp_path / "market", node, rabbitmq, administrator, "never", "--confirmations", "2")
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(run, *command, status=2).result()
    assert "--block-time 1" in result.stderr


def test_the_administrator_s_definitions_let_it_in_and_keep_its_password_secret(tmp_path):
    command = ("admin", "market", "administrator", tmp_path, "--user", "root-of-tests")
    made = run_json(*command, "--also", "grafana")
    assert (tmp_path / "grafana-password").stat().st_mode & 0o777 == 0o600
    password = Path(made["password_file"])
    assert password.stat().st_mode & 0o077 == 0
    text = Path(made["definitions"]).read_text()
    assert password.read_text().strip() not in text
    assert run_json("admin", "market", "administrator", tmp_path) != {}
    assert Path(made["definitions"]).read_text() == text, "the second run changed the password"
    assert "there is no folder" in refused("admin", "market", "administrator", tmp_path / "none")


async def test_a_broker_takes_the_definitions(tmp_path, rabbitmq, administrator):
    user = f"administrator-{secrets.token_hex(4)}"
    made = apart("admin", "market", "administrator", tmp_path, "--user", user)
    access = {"url": rabbitmq.management_url, "user": rabbitmq.user, "password_file": administrator}
    async with connected(ManagementAccess(**access)) as api:
        await api.post("definitions", body=read_yaml(made["definitions"]))
        try:
            login = {"url": rabbitmq.management_url, "user": user, "password_file": made["password_file"]}
            async with connected(ManagementAccess(**login)) as own:
                assert (await own.get("users", user))["name"] == user
        finally:
            await api.delete("users", user)
