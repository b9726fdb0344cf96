"""The model's thinking before its answer; pinned messages."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    pinned = sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.text("0"))
    thinking = sa.Column("thinking", sa.Text, nullable=False, server_default="")
    # Made again, so that columns have the order of a new database.
    with op.batch_alter_table("messages", recreate="always") as table:
        table.add_column(pinned, insert_after="writer")
    with op.batch_alter_table("answers", recreate="always") as table:
        table.add_column(sa.Column("thinking_s", sa.Double))
        table.add_column(thinking)
