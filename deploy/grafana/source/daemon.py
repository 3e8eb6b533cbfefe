# ruff: noqa: INP001
"""The dashboard of single daemons."""

from elements import Json, dashboard, panel, quantiles, rate, stat, variable

CHOSEN = '{instance=~"$instance"}'


def made() -> Json:
    """For a party: what its own daemon does and waits for."""
    panels = [
        stat(
            "Health", "1: /health answers 200.", "bool_yes_no", f"min(deltaml_healthy{CHOSEN})", red_below=1
        ),
        stat(
            "Broker answers",
            "Asked every ten seconds.",
            "bool_yes_no",
            'min(deltaml_up{part="broker",instance=~"$instance"})',
            red_below=1,
        ),
        stat(
            "Node answers",
            "Asked every ten seconds.",
            "bool_yes_no",
            'min(deltaml_up{part="chain",instance=~"$instance"})',
            red_below=1,
        ),
        stat(
            "Steps that failed",
            "Bugs of ours in the range of time shown; the log names their place.",
            "short",
            f"sum(increase(deltaml_steps_failed_total{CHOSEN}[$__range]))",
            red_from=1,
        ),
        panel(
            "Age of heartbeats",
            "Time since each task came round; below 25 seconds unless it works on something long.",
            "s",
            (f"time() - deltaml_heartbeat_timestamp_seconds{CHOSEN}", "{{instance}} {{task}}"),
            red_from=300,
        ),
        panel(
            "Lag of the event loop",
            "The worst of the last minute. Above a second, something computes where it should not.",
            "s",
            (f"deltaml_event_loop_lag_seconds{CHOSEN}", "{{instance}}"),
        ),
        panel(
            "What waits",
            "Inputs for their step, and effects to be carried out.",
            "short",
            (f"deltaml_inbox_inputs{CHOSEN}", "{{instance}} inputs"),
            (f"deltaml_outbox_effects{CHOSEN}", "{{instance}} effects"),
        ),
        panel(
            "For how long",
            "The age of the oldest input and effect. A rising line: node or broker refuses something.",
            "s",
            (f"deltaml_inbox_oldest_seconds{CHOSEN}", "{{instance}} inputs"),
            (f"deltaml_outbox_oldest_seconds{CHOSEN}", "{{instance}} effects"),
        ),
        panel(
            "Steps",
            "Steps a second by kind of input.",
            "ops",
            (rate("deltaml_step_seconds_count", "input", CHOSEN), "{{input}}"),
        ),
        panel(
            "Duration of a step",
            "Processor time, by kind of input.",
            "s",
            *quantiles("deltaml_step_seconds", CHOSEN, "input"),
        ),
        panel(
            "Where the time goes",
            "Seconds a second by phase of the protocol, over all tasks and workers.",
            "short",
            (rate("deltaml_phase_seconds_total", "phase", CHOSEN), "{{phase}}"),
        ),
        panel(
            "Duration of a round",
            "By the clock, from the end of the round before.",
            "s",
            *quantiles("deltaml_round_seconds", CHOSEN),
        ),
        panel(
            "Tried again",
            "What could not be done at once, by kind. During an outage of node or broker it grows.",
            "short",
            (f"sum by (of) (increase(deltaml_retries_total{CHOSEN}[$__rate_interval]))", "{{of}}"),
        ),
        panel(
            "Trainings by state",
            "As this party sees them.",
            "short",
            (f"sum by (state) (deltaml_trainings{CHOSEN})", "{{state}}"),
        ),
        panel(
            "Contract calls",
            "In the range of time shown; failed ones were mined and cost gas, refused ones were never sent.",
            "short",
            (
                f"sum by (call, outcome) (increase(deltaml_transactions_total{CHOSEN}[$__range]))",
                "{{call}} {{outcome}}",
            ),
        ),
        panel(
            "Ether for gas",
            "What the account holds.",
            "short",
            (f"deltaml_account_balance_ether{CHOSEN}", "{{instance}}"),
        ),
        panel(
            "Space for the store",
            "Left on the file system of the store; a daemon that cannot store stops.",
            "bytes",
            (f"deltaml_store_free_bytes{CHOSEN}", "{{instance}}"),
        ),
        panel(
            "Memory and processor",
            "Of the daemon's own process, without its workers.",
            "short",
            (f"process_resident_memory_bytes{CHOSEN}", "{{instance}} bytes"),
            (f"rate(process_cpu_seconds_total{CHOSEN}[$__rate_interval])", "{{instance}} cores"),
        ),
    ]
    choice = variable("instance", "Daemon", "label_values(deltaml_inbox_inputs, instance)")
    return dashboard(
        "deltaml-daemon", "DeltaML daemon", "One daemon, or some beside each other.", panels, choice
    )
