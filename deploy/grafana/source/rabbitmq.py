# ruff: noqa: INP001
"""The dashboard of the broker."""

from elements import PARTIES, Json, dashboard, panel, stat

QUEUES = r'{queue=~"deltaml\\..*"}'


def made() -> Json:
    """For the broker's operator."""
    panels = [
        stat(
            "Broker up", "RabbitMQ answers a scrape.", "bool_yes_no", 'min(up{job="rabbitmq"})', red_below=1
        ),
        stat(
            "Alarms",
            "Memory or disk run low: publishers are held up until it is mended.",
            "short",
            "sum(rabbitmq_alarms_memory_used_watermark) + sum(rabbitmq_alarms_free_disk_space_watermark)",
            red_from=1,
        ),
        stat("Connections", "Two a daemon that runs.", "short", "sum(rabbitmq_connections)"),
        stat(
            "Dead letters waiting",
            "deltaml admin dead-letters list shows them.",
            "short",
            'sum(rabbitmq_detailed_queue_messages{queue="deltaml.dead.letters"})',
            red_from=1,
        ),
        panel(
            "Ready",
            "Messages that wait in each queue for their daemon. Those that end in .seen are for consoles.",
            "short",
            (f"rabbitmq_detailed_queue_messages_ready{QUEUES}", "{{queue}}"),
            width=12,
        ),
        panel(
            "Unacknowledged",
            "Delivered, and not yet stored by their daemon.",
            "short",
            (f"rabbitmq_detailed_queue_messages_unacked{QUEUES}", "{{queue}}"),
            width=12,
        ),
        panel(
            "Consumers",
            "0: that party's daemon is away.",
            "short",
            (f"rabbitmq_detailed_queue_consumers{PARTIES}", "{{queue}}"),
            width=12,
        ),
        panel(
            "Traffic",
            "Messages a second over all queues. Redelivered ones were not acknowledged the first time.",
            "reqps",
            ("sum(rate(rabbitmq_global_messages_received_total[$__rate_interval]))", "received"),
            ("sum(rate(rabbitmq_global_messages_delivered_total[$__rate_interval]))", "delivered"),
            ("sum(rate(rabbitmq_global_messages_acknowledged_total[$__rate_interval]))", "acknowledged"),
            ("sum(rate(rabbitmq_global_messages_redelivered_total[$__rate_interval]))", "redelivered"),
            width=12,
        ),
        panel(
            "Returned",
            "Messages a second for which there is no queue: a recipient is not provisioned.",
            "reqps",
            (
                "sum(rate(rabbitmq_global_messages_unroutable_returned_total[$__rate_interval]))",
                "returned",
            ),
        ),
        panel(
            "Memory",
            "Used, and the limit from which on publishers are held up.",
            "bytes",
            ("sum(rabbitmq_process_resident_memory_bytes)", "used"),
            ("sum(rabbitmq_resident_memory_limit_bytes)", "limit"),
        ),
        panel(
            "Disk",
            "Left, and the limit below which publishers are held up.",
            "bytes",
            ("min(rabbitmq_disk_space_available_bytes)", "left"),
            ("max(rabbitmq_disk_space_available_limit_bytes)", "limit"),
        ),
    ]
    return dashboard("deltaml-rabbitmq", "DeltaML broker", "RabbitMQ, and the market's queues on it.", panels)
