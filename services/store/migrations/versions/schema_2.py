"""Schema 2, the first that was released: frozen, whatever `services.store.tables` says today."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = None


def upgrade() -> None:
    """Make the tables of schema 2."""
    version = op.create_table("schema_version", sa.Column("version", sa.Integer, nullable=False))
    op.bulk_insert(version, [{"version": 2}])
    op.create_table(
        "instances",
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("training", sa.BigInteger),
        sa.Column("state", sa.LargeBinary, nullable=False),
        sa.Column("shown", sa.String(100), nullable=False),
        sa.Column("finished", sa.Boolean, nullable=False),
        sa.Column("updated_at", sa.Float, nullable=False),
    )
    op.create_index("ix_instances_training", "instances", ["training"])
    _queues()
    op.create_table(
        "blobs",
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "facts",
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("ix_facts_key", "facts", ["key"])
    op.create_table(
        "results",
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "role_values",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
    )


def _queues() -> None:
    op.create_table(
        "inbox",
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("input_id", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("content", sa.LargeBinary),
        sa.Column("training", sa.BigInteger),
        sa.Column("done", sa.Boolean, nullable=False),
        sa.Column("digest", sa.LargeBinary(32)),
        sa.Column("arrived_at", sa.Float, nullable=False),
    )
    op.create_index("inbox_waiting", "inbox", ["key", "done", "sequence"])
    op.create_index("ix_inbox_training", "inbox", ["training"])
    op.create_table(
        "outbox",
        sa.Column("sequence", sa.Integer, primary_key=True),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Float, nullable=False),
        sa.Column("added_at", sa.Float, nullable=False),
        sa.Column("unroutable_since", sa.Float),
    )
    op.create_index("ix_outbox_next_at", "outbox", ["next_at"])
    op.create_table(
        "timers",
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("fire_at", sa.Float, nullable=False),
    )
    op.create_index("ix_timers_fire_at", "timers", ["fire_at"])
