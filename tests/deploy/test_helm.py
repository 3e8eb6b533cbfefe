"""The chart renders into documents that Kubernetes takes and that fit together, and daemons take its files.

No cluster is here: Helm's own engine renders, and Kubernetes' schemas judge.
"""

import re
import stat
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from helm_python.chart import Chart, lint
from helm_python.errors import HelmError

from services.common.files import read_passphrase
from services.config.daemons import KINDS, load
from services.daemon.shutdown import CLOSE_SECONDS, DRAIN_SECONDS
from tests.deploy.test_containers import parsed
from tests.support.deployment.dockerfile import instructions_of

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "deltaml"
EXAMPLES = {path.stem: yaml.safe_load(path.read_text()) for path in (CHART.parent / "examples").iterdir()}
VERSIONS = ("1.29", "1.37")
SECRETS = "/run/deltaml/"
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)


def rendered(values):
    """The documents by kind."""
    texts = Chart.load(CHART).render(values, name="test", namespace="market")
    documents = [one for text in texts.values() for one in yaml.safe_load_all(text) if one]
    return {one["kind"]: one for one in documents}


def pod_of(documents):
    return documents["StatefulSet"]["spec"]["template"]["spec"]


def config_of(documents, folder, kind):
    """The configuration as the daemon of this kind takes it."""
    file = folder / "config.yaml"
    file.write_text(documents["ConfigMap"]["data"]["config.yaml"])
    return load(file, kind)


def test_there_are_values_for_every_kind():
    assert set(EXAMPLES) == set(KINDS)
    assert {one["daemon"] for one in EXAMPLES.values()} == set(KINDS)


@EVERY_KIND
def test_helm_s_linter_finds_no_mistake(kind):
    report = lint(CHART, EXAMPLES[kind], strict=True)
    assert report["errors"] == []
    assert [one["error"] for one in report["messages"]] == ["icon is recommended"]


@pytest.mark.parametrize("version", VERSIONS)
@EVERY_KIND
def test_kubernetes_takes_every_document(kind, version):
    for name, document in rendered(EXAMPLES[kind]).items():
        if name == "ServiceMonitor":
            continue  # its schema is the Prometheus operator's
        kubernetes_validate.validate(document, version, strict=True)


@EVERY_KIND
def test_the_daemon_takes_its_configuration(kind, tmp_path):
    config = config_of(rendered(EXAMPLES[kind]), tmp_path, kind)
    assert config.metrics_host == "0.0.0.0"
    assert str(config.broker.url) == EXAMPLES[kind]["config"]["broker"]["url"]


@EVERY_KIND
def test_commands_are_those_of_deltaml_and_everything_runs_without_rights(kind):
    pod = pod_of(rendered(EXAMPLES[kind]))
    (daemon,) = pod["containers"]
    assert parsed(daemon["args"]).command_path == f"deltaml {kind}"
    for container in (daemon, *pod["initContainers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        mounted = {one["name"] for one in container["volumeMounts"]}
        assert mounted <= {one["name"] for one in pod["volumes"]} | {"data"}
    (user,) = [
        one.value
        for one in instructions_of((ROOT / "deploy" / "Dockerfile").read_text())
        if one.name == "USER"
    ]
    context = pod["securityContext"]
    assert f"{context['runAsUser']}:{context['runAsGroup']}" == user
    assert context["runAsNonRoot"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert pod["terminationGracePeriodSeconds"] > DRAIN_SECONDS + CLOSE_SECONDS


@EVERY_KIND
def test_there_is_never_a_second_daemon_on_one_store(kind):
    stateful = rendered(EXAMPLES[kind])["StatefulSet"]["spec"]
    assert stateful["replicas"] == 1
    (claim,) = stateful["volumeClaimTemplates"]
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert stateful["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"


@EVERY_KIND
def test_probes_and_services_name_ports_that_are_there(kind, tmp_path):
    documents = rendered(EXAMPLES[kind])
    (daemon,) = pod_of(documents)["containers"]
    ports = {one["name"]: one["containerPort"] for one in daemon["ports"]}
    config = config_of(documents, tmp_path, kind)
    assert ports["metrics"] == config.metrics_port
    assert ports.get("console") == (config.console.port if getattr(config, "console", None) else None)
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert daemon[probe]["httpGet"] == {"path": "/health", "port": "metrics"}
    service = documents["Service"]["spec"]
    assert {one["name"]: one["port"] for one in service["ports"]} == ports
    template = documents["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= template.items()
    policy = documents["NetworkPolicy"]["spec"]
    assert policy["podSelector"]["matchLabels"] == service["selector"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    let_in = {port["port"]: rule["from"] for rule in policy["ingress"] for port in rule["ports"]}
    assert set(let_in) == set(ports)
    assert all(let_in.values()), "an empty list of peers would let everybody in"


@EVERY_KIND
def test_what_the_daemon_reaches_is_let_out(kind):
    documents = rendered(EXAMPLES[kind])
    rules = documents["NetworkPolicy"]["spec"]["egress"]
    open_ports = {port["port"] for rule in rules for port in rule["ports"]}
    config = EXAMPLES[kind]["config"]
    assert 53 in open_ports
    assert int(re.findall(r":(\d+)/", config["broker"]["url"])[0]) in open_ports
    assert {"https": 443, "http": 80}[config["chain"]["url"].split(":")[0]] in open_ports
    assert (5432 in open_ports) == ("store" in config)


@EVERY_KIND
def test_every_secret_of_the_configuration_is_a_file_that_the_daemon_may_read(kind, tmp_path):
    documents = rendered(EXAMPLES[kind])
    pod = pod_of(documents)
    (volume,) = [one["secret"] for one in pod["volumes"] if "secret" in one]
    assert volume == {"secretName": EXAMPLES[kind]["secret"], "defaultMode": 0o440}
    keys = re.findall(rf"{SECRETS}(\S+)", documents["ConfigMap"]["data"]["config.yaml"])
    assert set(keys) <= {"passphrase", "broker-password", "store-password", "broker-ca.pem"}
    assert ("passphrase" in keys) == (kind != "chain-listener")
    (copying,) = [one for one in pod["initContainers"] if one["name"] == "secrets"]
    mounted, own = tmp_path / "secrets", tmp_path / "own"
    mounted.mkdir()
    own.mkdir()
    (mounted / "passphrase").write_text("word\n")
    (mounted / "passphrase").chmod(0o440)
    *shell, script = copying["command"]
    script = script.replace("/secrets/", f"{mounted}/").replace(SECRETS, f"{own}/")
    subprocess.run([*shell, script], check=True)
    assert stat.S_IMODE((own / "passphrase").stat().st_mode) == 0o600
    assert read_passphrase(own / "passphrase") == "word"


def test_the_command_that_makes_keys_is_one_that_deltaml_takes():
    (keys,) = [
        one for one in pod_of(rendered(EXAMPLES["data-owner"]))["initContainers"] if one["name"] == "keys"
    ]
    command = keys["command"][-1].split("|| deltaml ")[1]
    context = parsed(command.split())
    assert context.command_path == "deltaml keys create"
    assert str(context.params["passphrase_file"]) == f"{SECRETS}passphrase"


def test_the_console_is_reached_through_tls_alone(tmp_path):
    documents = rendered(EXAMPLES["data-owner"])
    ingress = documents["Ingress"]["spec"]
    (rule,) = ingress["rules"]
    assert ingress["tls"] == [{"hosts": [rule["host"]], "secretName": "owner-tls"}]
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": documents["Service"]["metadata"]["name"], "port": {"name": "console"}}
    assert config_of(documents, tmp_path, "data-owner").console.public_url == f"https://{rule['host']}"


def test_the_service_monitor_finds_the_service():
    documents = rendered(EXAMPLES["data-owner"])
    monitor = documents["ServiceMonitor"]["spec"]
    assert monitor["selector"]["matchLabels"].items() <= documents["Service"]["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] == "metrics"


@pytest.mark.parametrize(
    "change",
    [
        {"daemon": "miner"},
        {"secret": ""},
        {"replicas": 2},
        {"console": {"enabled": True}},
        {"metrics": {"from": []}},
        {"config": {}},
    ],
)
def test_values_that_cannot_work_are_refused(change):
    with pytest.raises(HelmError):
        rendered({**EXAMPLES["aggregator"], **change})


def test_the_versions_agree():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = re.findall(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0]
    assert chart["appVersion"] == chart["version"] == version
    assert chart["kubeVersion"] == f">={VERSIONS[0]}.0-0"
