"""Messages that were deleted from a conversation."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "hidden_messages",
        sa.Column("message_id", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_hidden_messages"),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name="fk_hidden_messages_message_id",
            ondelete="CASCADE",
        ),
    )
