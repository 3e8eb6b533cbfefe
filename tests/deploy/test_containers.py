"""What docker-compose.yml, the Dockerfile and the broker's files say fits together and fits the commands.

No container runs here: every command is parsed by the command line itself, every reference is followed.
"""

import re
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from services.cli import app
from services.market_folder import MarketFolder

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("deltaml:")}
JOBS = {"administrator", "setup"}
DAEMONS = set(OURS) - JOBS


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
    hosts = {setup[name].split("//")[1].split(":")[0] for name in ("chain", "broker", "broker_management")}
    assert hosts == {"anvil", "rabbitmq"}
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
        assert "ports" not in one, name
    for one in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in one.get("ports", []))


def test_no_secret_stands_in_the_files():
    for one in SERVICES.values():
        assert "environment" not in one, "passwords are files"
    conf = (ROOT / "deploy" / "rabbitmq" / "rabbitmq.conf").read_text()
    assert "default_pass" not in conf


def test_volumes_and_mounted_files_exist():
    for one in SERVICES.values():
        for mount in one.get("volumes", []):
            source = mount["source"] if isinstance(mount, dict) else mount.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).is_file(), source
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
