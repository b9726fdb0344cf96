"""Notes on a model beside its file, and its removal from the list by the user."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    notes: sa.Column[str] = sa.Column(
        "notes", sa.Text, nullable=False, server_default=sa.text("'{}'")
    )
    forgotten: sa.Column[bool] = sa.Column(
        "forgotten", sa.Boolean, nullable=False, server_default=sa.text("0")
    )
    op.add_column("models", notes)
    op.add_column("models", forgotten)
