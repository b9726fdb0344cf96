"""Downloads, so that they resume after the app was closed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

STATES = ("queued", "running", "checking", "paused", "failed", "done")


def upgrade() -> None:
    state: sa.Enum = sa.Enum(*STATES, name="downloadstate", native_enum=False, length=16)
    op.create_table(
        "downloads",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("repo", sa.Text, nullable=False),
        sa.Column("revision", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("added", sa.DateTime, nullable=False),
        sa.Column("received", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("folder", sa.Text, nullable=False),
        sa.Column("writer", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_downloads"),
    )
