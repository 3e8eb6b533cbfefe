"""Alert rules: each fires on what it is for and on nothing else, and the runbook knows it. By promtool."""

import json
import re

import pytest
import yaml

from tests.support.deployment.prometheus import promtool
from tests.support.deployment.promql import ALERTS, DEPLOY, alert_rules

PARTY = 'role="data_owner",party="0xab",instance="owner:9464"'
QUEUE = 'job="rabbitmq-queues",vhost="deltaml",queue="deltaml'
LETTERS = f'deltaml_dead_letters_total{{{PARTY},reason="invalid",code=""}}'
ENDED = f'deltaml_trainings_ended_total{{{PARTY},outcome="failed"}}'
TROUBLES = 'deltaml_round_troubles_total{instance="owner:9464",fact='
MEMORY = "rabbitmq_alarms_memory_used_watermark"
DISK = "rabbitmq_alarms_free_disk_space_watermark"
OWNER_CONSUMERS = f'rabbitmq_detailed_queue_consumers{{{QUEUE}.data_owner.0xab"}}'
SEEN_CONSUMERS = f'rabbitmq_detailed_queue_consumers{{{QUEUE}.chain.0xab.seen"}}'
OWNER_MESSAGES = f'rabbitmq_detailed_queue_messages{{{QUEUE}.data_owner.0xab"}}'
SEEN_MESSAGES = f'rabbitmq_detailed_queue_messages{{{QUEUE}.chain.0xab.seen"}}'
DEAD_MESSAGES = f'rabbitmq_detailed_queue_messages{{{QUEUE}.dead.letters"}}'
HEARTBEAT = f'deltaml_heartbeat_timestamp_seconds{{{PARTY},task="outbox"}}'

# Per alert: series with values by the minute, "what is ill" and "what is well".
CASES = {
    "DaemonDown": ({'up{job="deltaml"}': "0x20"}, {'up{job="deltaml"}': "1 1 0 1x20"}),
    "DaemonUnhealthy": ({f"deltaml_healthy{{{PARTY}}}": "0x20"}, {f"deltaml_healthy{{{PARTY}}}": "1x20"}),
    "BrokerAway": (
        {f'deltaml_up{{{PARTY},part="broker"}}': "0x20"},
        {f'deltaml_up{{{PARTY},part="broker"}}': "1 0 0 1x20"},
    ),
    "ChainAway": (
        {f'deltaml_up{{{PARTY},part="chain"}}': "0x20"},
        {f'deltaml_up{{{PARTY},part="chain"}}': "1 0 0 1x20"},
    ),
    "HeartbeatStale": ({HEARTBEAT: "0x20"}, {HEARTBEAT: "0+60x20"}),
    "EventLoopLagging": (
        {f"deltaml_event_loop_lag_seconds{{{PARTY}}}": "6x20"},
        {f"deltaml_event_loop_lag_seconds{{{PARTY}}}": "0.1 9 0.1x20"},
    ),
    "InboxStuck": (
        {f"deltaml_inbox_oldest_seconds{{{PARTY}}}": "0+120x20"},
        {f"deltaml_inbox_oldest_seconds{{{PARTY}}}": "0+20x20"},
    ),
    "OutboxStuck": (
        {f"deltaml_outbox_oldest_seconds{{{PARTY}}}": "0+120x20"},
        {f"deltaml_outbox_oldest_seconds{{{PARTY}}}": "0+20x20"},
    ),
    "Retrying": (
        {f'deltaml_retries_total{{{PARTY},of="call"}}': "0+5x40"},
        {f'deltaml_retries_total{{{PARTY},of="call"}}': "0 9 9x40"},
    ),
    "StepsFailing": (
        {f"deltaml_steps_failed_total{{{PARTY}}}": "0x10 1x5"},
        {f"deltaml_steps_failed_total{{{PARTY}}}": "1x20"},
    ),
    "DeadLettersGrowing": ({LETTERS: "0x10 1x5"}, {LETTERS: "3x20"}),
    "TrainingStalled": (
        {f"deltaml_training_quiet_seconds{{{PARTY}}}": "0+600x20"},
        {f"deltaml_training_quiet_seconds{{{PARTY}}}": "0+60x20"},
    ),
    "TrainingsFailing": ({ENDED: "0x10 1x5"}, {ENDED: "2x20"}),
    "SomebodyNamed": (
        {f'{TROUBLES}"named",code="false_share"}}': "0x10 1x5"},
        {f'{TROUBLES}"dropped",code="metric_late"}}': "0x10 1x5"},
    ),
    "CheckFailed": (
        {f'{TROUBLES}"check_failed",code="products_contested"}}': "0x10 1x5"},
        {f'{TROUBLES}"check_failed",code="products_contested"}}': "2x20"},
    ),
    "RoundsMeasuredAgain": (
        {f'{TROUBLES}"attempt_over",code="contested"}}': "0x5 1 2 3 4x10"},
        {f'{TROUBLES}"attempt_over",code="contested"}}': "0x10 1x5"},
    ),
    "RoundImplausible": (
        {f'{TROUBLES}"implausible",code=""}}': "0x10 1x5"},
        {f'{TROUBLES}"implausible",code=""}}': "1x20"},
    ),
    "BalanceLow": (
        {f"deltaml_account_balance_ether{{{PARTY}}}": "0.01x20"},
        {f"deltaml_account_balance_ether{{{PARTY}}}": "0.2x20"},
    ),
    "ConfirmationsLagging": (
        {f"deltaml_confirmation_lag_blocks{{{PARTY}}}": "500x20"},
        {f"deltaml_confirmation_lag_blocks{{{PARTY}}}": "12x20"},
    ),
    "ChainStandsStill": (
        {f"deltaml_head_block{{{PARTY}}}": "0+1x10 10x40"},
        {f"deltaml_head_block{{{PARTY}}}": "0+1x50"},
    ),
    "StoreSpaceLow": (
        {f"deltaml_store_free_bytes{{{PARTY}}}": "1000x20"},
        {f"deltaml_store_free_bytes{{{PARTY}}}": "5e9x20"},
    ),
    "RabbitmqDown": ({'up{job="rabbitmq-queues"}': "0x20"}, {'up{job="rabbitmq"}': "1 1 0 1x20"}),
    "RabbitmqAlarm": ({MEMORY: "0x20", DISK: "1x20"}, {MEMORY: "0x20", DISK: "0x20"}),
    "PartyAway": (
        {OWNER_CONSUMERS: "0x20"},
        {OWNER_CONSUMERS: "0 0 1x20", SEEN_CONSUMERS: "0x20"},
    ),
    "QueueBacklog": (
        {OWNER_MESSAGES: "5000x20"},
        {OWNER_MESSAGES: "10x20", SEEN_MESSAGES: "9000x20"},
    ),
    "DeadLettersWaiting": ({DEAD_MESSAGES: "1x90"}, {DEAD_MESSAGES: "0x90"}),
}
MINUTES = {"Retrying": 40, "ChainStandsStill": 40, "DeadLettersWaiting": 80}


@pytest.fixture(scope="module")
def rules():
    return {rule["alert"]: rule for rule in alert_rules()}


def test_configuration_and_rules_are_accepted():
    assert "SUCCESS" in promtool("check", "config", DEPLOY / "prometheus" / "prometheus.yml")


def test_every_alert_has_a_case(rules):
    assert set(rules) == set(CASES)


@pytest.mark.parametrize("ill", [True, False], ids=["ill", "well"])
def test_an_alert_fires_on_what_it_is_for_and_on_nothing_else(tmp_path, ill):
    tests = []
    for alert, (firing, quiet) in CASES.items():
        series = firing if ill else quiet
        expected = [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if ill else []
        tests.append(
            {
                "interval": "1m",
                "input_series": [{"series": name, "values": values} for name, values in series.items()],
                "promql_expr_test": [
                    {
                        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": f"{MINUTES.get(alert, 15)}m",
                        "exp_samples": expected,
                    }
                ],
            }
        )
    document = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": tests}
    path = tmp_path / "tests.yml"
    path.write_text(yaml.safe_dump(document))
    assert "SUCCESS" in promtool("test", "rules", path)


def test_an_alert_says_what_is_wrong_how_bad_and_what_to_do(rules):
    headings = set(re.findall(r"^### (\w+)$", (DEPLOY / "RUNBOOK.md").read_text(), re.MULTILINE))
    for alert, rule in rules.items():
        told = rule["annotations"]
        assert set(told) == {"summary", "description", "runbook_url"}
        assert told["runbook_url"] == f"deploy/RUNBOOK.md#{alert.lower()}"
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert alert in headings
        assert "{" not in re.sub(r"\{\{.*?\}\}", "", json.dumps(told)[1:-1])
