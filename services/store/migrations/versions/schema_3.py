"""Schema 3: closed instances, indices that stay small, sequence numbers that are never used twice."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """From schema 2."""
    op.add_column("instances", sa.Column("closed", sa.String(20)))
    op.create_index("instances_ended", "instances", ["finished", "updated_at"])
    op.drop_index("inbox_waiting", "inbox")
    for name in ("inbox", "outbox", "facts"):
        _number_without_end(name)
    done = sa.column("done", sa.Boolean)
    op.create_index("inbox_waiting", "inbox", ["key", "sequence"], sqlite_where=~done, postgresql_where=~done)
    op.create_index("inbox_done", "inbox", ["key", "arrived_at"], sqlite_where=done, postgresql_where=done)
    op.execute("UPDATE schema_version SET version = 3")


def _number_without_end(name: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table(name, recreate="always", table_kwargs={"sqlite_autoincrement": True}):
            return
    op.alter_column(name, "sequence", existing_type=sa.Integer(), type_=sa.BigInteger())
    op.execute(f"ALTER SEQUENCE {name}_sequence_seq AS BIGINT")
