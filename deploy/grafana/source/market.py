# ruff: noqa: INP001
"""The dashboard of a whole market."""

from elements import PARTIES, Json, dashboard, panel, quantiles, rate, stat, troubles


def made() -> Json:
    """For whoever runs a market: is everybody there, do trainings end well, what does it cost."""
    panels = [
        stat(
            "Daemons up",
            "Daemons that answer a scrape. Red: one does not.",
            "percentunit",
            'avg(up{job="deltaml"})',
            red_below=1,
        ),
        stat(
            "Daemons in good health",
            "Daemons whose /health answers 200. Red: one fails; its dashboard says which part.",
            "percentunit",
            "avg(deltaml_healthy)",
            red_below=1,
        ),
        stat(
            "Parties on the broker",
            "Parties whose daemon reads its queue now, on whatever machine it runs. Red: somebody is away.",
            "percentunit",
            f"avg(rabbitmq_detailed_queue_consumers{PARTIES} > bool 0)",
            red_below=1,
        ),
        stat(
            "Dead letters waiting",
            "Messages on deltaml.dead.letters that nobody has looked at.",
            "short",
            'sum(rabbitmq_detailed_queue_messages{queue="deltaml.dead.letters"})',
            red_from=1,
        ),
        panel(
            "Trainings by state",
            "As the buyers scraped here see their trainings.",
            "short",
            ('sum by (state) (deltaml_trainings{role="model_buyer"})', "{{state}}"),
        ),
        panel(
            "Trainings ended, a day",
            "As the buyers scraped here see it; failed ones deserve a look: deltaml history --failures.",
            "short",
            (
                'sum by (outcome) (increase(deltaml_trainings_ended_total{role="model_buyer"}[1d]))',
                "{{outcome}}",
            ),
        ),
        panel(
            "Quietest training",
            "Time since anything happened in the training under way that has been quiet longest, by party.",
            "s",
            ("max by (role, party) (deltaml_training_quiet_seconds)", "{{role}} {{party}}"),
        ),
        panel(
            "Duration of a round",
            "By the clock, from the end of the round before, over all daemons scraped here.",
            "s",
            *quantiles("deltaml_round_seconds"),
        ),
        panel(
            "Checkers' complaints",
            "What checkers say is not in order in a round, as each party that hears of it counts it. A word "
            "alone names nobody.",
            "short",
            (troubles("check_failed"), "{{code}}"),
        ),
        panel(
            "Rounds measured again",
            "Attempts that came to nothing, by reason, as each party that was told counts them.",
            "short",
            (troubles("attempt_over"), "{{code}}"),
        ),
        panel(
            "Held to blame",
            "Faults that signed messages show, by what was done. The trainings' pages and deltaml history "
            "name who it was.",
            "short",
            (troubles("named|complaint"), "{{code}}"),
        ),
        panel(
            "Trainings given up",
            "By reason, as each party counts them. Errors that cannot be are among them.",
            "short",
            (troubles("gave_up"), "{{code}}"),
        ),
        panel(
            "Left out",
            "Owners that the others go on without, by reason, as each party counts them.",
            "short",
            (troubles("dropped"), "{{code}}"),
        ),
        panel(
            "Messages sent",
            "By role of the sender, contract events of the listener included.",
            "reqps",
            (rate("deltaml_messages_published_total", "role"), "{{role}}"),
        ),
        panel(
            "Bytes sent",
            "Sealed bodies, by role of the sender.",
            "Bps",
            (rate("deltaml_bytes_published_total", "role"), "{{role}}"),
        ),
        panel(
            "Dead letters",
            "Messages put among the dead letters, by reason.",
            "short",
            ("sum by (reason) (increase(deltaml_dead_letters_total[$__range]))", "{{reason}}"),
        ),
        panel(
            "Blocks not final yet",
            "How far the chain's head is ahead of the last confirmed block: the configured confirmations, "
            "unless the listener falls behind.",
            "short",
            ("max by (party) (deltaml_confirmation_lag_blocks)", "{{party}}"),
        ),
        panel(
            "Head of the chain",
            "The newest block and the last that counts as final; level lines are a node that stands still.",
            "short",
            ("max(deltaml_head_block)", "newest"),
            ("max(deltaml_last_confirmed_block)", "final"),
        ),
        panel(
            "Gas",
            "Gas a second by contract call, whether it succeeded or not.",
            "short",
            (rate("deltaml_gas_spent_total", "call"), "{{call}}"),
            width=12,
        ),
        panel(
            "Ether for gas",
            "What each daemon's account holds; a buyer's deposits are paid from it too.",
            "short",
            ("min by (role, party) (deltaml_account_balance_ether)", "{{role}} {{party}}"),
            width=12,
        ),
    ]
    return dashboard("deltaml-market", "DeltaML market", "A market of daemons, all parties together.", panels)
