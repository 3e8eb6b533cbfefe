"""What docker-compose.yml, the Dockerfile and the broker's files say fits together and fits the commands.

No container runs here: every command is parsed by the command line itself, every reference is followed.
"""

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import check_jsonschema
import pytest
import yaml
from jsonschema.validators import validator_for
from typer.main import get_command

from services.admin.market_folder import MarketFolder
from services.cli import app
from tests.support.deployment.dockerfile import instructions_of

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("deltaml:")}
JOBS = {"administrator", "setup"}
ADMINISTRATORS = {
    f"/administrator/{name}password"
    for name in (
        "",
        *(f"{part[7:]}-" for part in SERVICES["administrator"]["command"] if part[:7] == "--also="),
    )
}
"""The password files that the first job makes."""
DAEMONS = set(OURS) - JOBS


def test_the_file_is_valid_by_the_schema_of_compose():
    vendored = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    schema = json.loads(vendored.read_text())
    validator = validator_for(schema)(schema)
    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    assert not validator.is_valid({**COMPOSE, "services": {"buyer": {"image": 1}}})


def parsed(arguments):
    """The command that these arguments reach, with its options; raises on any that it does not take."""
    context = get_command(app).make_context("deltaml", list(arguments))
    while hasattr(context.command, "commands"):
        rest = [*context._protected_args, *context.args]
        name, command, rest = context.command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)
    return context


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_that_deltaml_takes(name):
    context = parsed(SERVICES[name]["command"])
    if name in DAEMONS:
        assert str(context.params["config"]) == "config.yaml"
    elif name == "setup":
        assert context.command_path == "deltaml admin market init"


def test_there_is_a_daemon_for_every_party_of_the_set_up_and_each_sees_its_own_folder():
    setup = parsed(SERVICES["setup"]["command"]).params
    folder = MarketFolder.of(Path(setup["folder"]), setup["owners"])
    expected = {folder.listener.name: "chain-listener"}
    kinds = {"model_buyer": "model-buyer", "federated_aggregator": "aggregator", "data_owner": "data-owner"}
    expected |= {party.name: kinds[party.role] for party in folder.participants}
    assert {name: SERVICES[name]["command"][0] for name in DAEMONS} == expected
    for name in DAEMONS:
        (mount,) = SERVICES[name]["volumes"]
        assert (mount["source"], mount["volume"]) == ("market", {"subpath": name})
        assert mount["target"] == str(setup["folder"])
    assert re.search(rf"^WORKDIR {setup['folder']}$", DOCKERFILE, re.MULTILINE)


def test_urls_name_services_of_the_same_network():
    setup = parsed(SERVICES["setup"]["command"]).params
    urls = [setup[name] for name in ("chain_url", "broker_url", "management_url", "postgresql_url")]
    hosts = {urlsplit(url).hostname for url in urls}
    assert hosts == {"anvil", "rabbitmq", "postgresql"}
    assert setup["confirmations"] == 0 or "--block-time" in SERVICES["anvil"]["command"]
    for one in SERVICES.values():
        assert one["networks"] == ["market"]


def test_nothing_starts_before_what_it_needs():
    for name in DAEMONS:
        assert SERVICES[name]["depends_on"]["setup"] == {"condition": "service_completed_successfully"}
    for name, one in SERVICES.items():
        for needed, how in one.get("depends_on", {}).items():
            if how["condition"] == "service_completed_successfully":
                assert SERVICES[needed]["restart"] == "no", f"{name} waits for the end of {needed}"
            else:
                assert how == {"condition": "service_healthy"}
                assert "test" in SERVICES[needed]["healthcheck"]


def test_ours_run_without_rights_and_nothing_listens_beyond_this_machine():
    for name, one in OURS.items():
        assert one["cap_drop"] == ["ALL"], name
        assert one["read_only"], name
    for one in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", []))


def test_every_password_file_is_made_and_can_be_read_by_whoever_needs_it():
    setup = parsed(SERVICES["setup"]["command"]).params
    assert str(setup["administrator_password_file"]) in ADMINISTRATORS
    assert str(setup["postgresql_password_file"]) in ADMINISTRATORS
    (user,) = [one.value for one in instructions_of(DOCKERFILE) if one.name == "USER"]
    for name, one in SERVICES.items():
        if any("administrator:/administrator" in str(mount) for mount in one.get("volumes", [])):
            assert name in JOBS or one["user"].split(":")[0] == user.split(":")[0]
            assert name in JOBS or one["depends_on"]["administrator"]


def test_the_set_up_gets_in_where_the_database_lets_it_in():
    setup, server = (
        urlsplit(parsed(SERVICES["setup"]["command"]).params["postgresql_url"]),
        SERVICES["postgresql"],
    )
    assert setup.username == server["environment"]["POSTGRES_USER"]
    assert server["environment"]["POSTGRES_DB"] == "postgres"
    assert f"--username={setup.username}" in server["healthcheck"]["test"]


def watched(file):
    """The targets of a file that Prometheus reads, as host and port."""
    documents = yaml.safe_load((ROOT / "deploy" / "prometheus" / "targets" / file).read_text())
    return {target for one in documents for target in one["targets"]}


def test_prometheus_watches_every_daemon_and_the_broker_where_they_serve_metrics():
    setup = parsed(SERVICES["setup"]["command"]).params
    folder = MarketFolder.of(Path(setup["folder"]), setup["owners"])
    names = [folder.listener.name, *(party.name for party in folder.participants)]
    assert watched("deltaml.yml") == {f"{name}:{setup['metrics_port'] + i}" for i, name in enumerate(names)}
    assert setup["metrics_host"] == "0.0.0.0"
    assert watched("rabbitmq.yml") == {"rabbitmq:15692"}
    assert "rabbitmq_prometheus" in (ROOT / "deploy" / "rabbitmq" / "enabled_plugins").read_text()
    command = SERVICES["prometheus"]["command"]
    assert "--config.file=/etc/prometheus/prometheus.yml" in command
    assert "./deploy/prometheus:/etc/prometheus:ro" in SERVICES["prometheus"]["volumes"]


def test_grafana_finds_prometheus_and_its_dashboards():
    grafana = SERVICES["grafana"]["volumes"]
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())["datasources"]
    place = urlsplit(source["url"])
    assert place.hostname == "prometheus"
    assert SERVICES["prometheus"]["ports"] == [f"127.0.0.1:{place.port}:{place.port}"]
    (provider,) = yaml.safe_load((provisioning / "dashboards" / "deltaml.yaml").read_text())["providers"]
    assert f"./deploy/grafana/dashboards:{provider['options']['path']}:ro" in grafana
    assert "./deploy/grafana/provisioning:/etc/grafana/provisioning:ro" in grafana


def test_every_party_s_console_is_published_on_loopback_where_it_listens():
    setup = parsed(SERVICES["setup"]["command"]).params
    folder = MarketFolder.of(Path(setup["folder"]), setup["owners"])
    for number, party in enumerate(folder.participants):
        port = setup["console_port"] + number
        assert SERVICES[party.name]["ports"] == [f"127.0.0.1:{port}:{port}"], party.name
    assert "ports" not in SERVICES["chain-listener"]
    assert setup["console_host"] == "0.0.0.0"
    published = [port for one in SERVICES.values() for port in one.get("ports", [])]
    assert len(set(published)) == len(published)


def test_no_secret_stands_in_the_files():
    for one in SERVICES.values():
        for name, value in one.get("environment", {}).items():
            if "PASSWORD" in name:
                assert name.endswith("_FILE"), "passwords are files"
                assert value in ADMINISTRATORS
    conf = (ROOT / "deploy" / "rabbitmq" / "rabbitmq.conf").read_text()
    assert "default_pass" not in conf


def test_volumes_and_mounted_files_exist():
    for one in SERVICES.values():
        for mount in one.get("volumes", []):
            source = mount["source"] if isinstance(mount, dict) else mount.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
                assert mount.endswith(":ro"), source
            else:
                assert source in COMPOSE["volumes"], source
    target = SERVICES["rabbitmq"]["volumes"][2].split(":")[1]
    conf = (ROOT / "deploy" / "rabbitmq" / "rabbitmq.conf").read_text()
    assert f"load_definitions = {target}/definitions.json" in conf


def test_the_health_check_is_a_command_that_deltaml_takes():
    check = yaml.safe_load(re.findall(r"CMD (\[\"deltaml\".+\])", DOCKERFILE)[0])
    assert parsed(check[1:]).command_path == "deltaml health"
    assert parsed(SERVICES["setup"]["command"]).params["metrics_port"] is not None


def test_the_versions_agree():
    version = re.findall(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0]
    assert {one["image"] for one in OURS.values()} == {f"deltaml:{version}"}
    package = (ROOT / "contracts" / "package.json").read_text()
    anvil = re.findall(r'"@foundry-rs/anvil": "(.+)"', package)[0]
    assert SERVICES["anvil"]["image"].endswith(f":v{anvil}")
