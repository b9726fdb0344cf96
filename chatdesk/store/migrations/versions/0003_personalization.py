"""Ratings, marks and corrections; adapters, their sources, and which one was active."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TOUCHED = sa.text("rating IS NOT NULL OR mark IS NOT NULL OR corrects IS NOT NULL")
STATES = (
    "preparing",
    "training",
    "measuring",
    "interrupted",
    "cancelled",
    "failed",
    "rejected",
    "promoted",
    "imported",
)


def _choice(*values: str, name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=16)


def _mark() -> sa.Column[str]:
    return sa.Column("mark", _choice("include", "exclude", name="mark"))


def upgrade() -> None:
    op.add_column("conversations", _mark())
    op.add_column("conversations", sa.Column("adapter", sa.String(16)))
    rating: sa.Column[str] = sa.Column("rating", _choice("up", "down", name="rating"))
    # Made again, so that columns have the order of a new database.
    with op.batch_alter_table("messages", recreate="always") as table:
        table.add_column(rating, insert_after="pinned")
        table.add_column(_mark(), insert_after="rating")
        table.add_column(sa.Column("corrects", sa.String(16)), insert_after="mark")
    op.create_index("ix_messages_touched", "messages", ["conversation_id"], sqlite_where=TOUCHED)
    op.add_column("answers", sa.Column("drafted", sa.Integer))
    op.add_column("answers", sa.Column("accepted", sa.Integer))
    _make_adapters()
    _make_adapter_sources()
    _make_activations()


def _make_adapters() -> None:
    op.create_table(
        "adapters",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("model_id", sa.Text, nullable=False),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("model_sha256", sa.Text),
        sa.Column("state", _choice(*STATES, name="adapterstate"), nullable=False),
        sa.Column("writer", sa.Text),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("ended", sa.DateTime),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("examples", sa.Integer, nullable=False),
        sa.Column("heldout", sa.Integer, nullable=False),
        sa.Column("scale", sa.Double, nullable=False),
        sa.Column("scorecard", sa.Text),
        sa.Column("losses", sa.Text, nullable=False),
        sa.Column("tokens", sa.Integer, nullable=False),
        sa.Column("tokens_per_s", sa.Double, nullable=False),
        sa.Column("seconds", sa.Double, nullable=False),
        sa.Column("peak_bytes", sa.Integer, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_adapters"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_adapters_model_id"),
    )


def _make_adapter_sources() -> None:
    op.create_table(
        "adapter_sources",
        sa.Column("adapter_id", sa.String(16), nullable=False),
        sa.Column("conversation_id", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint(
            "adapter_id", "conversation_id", "message_id", name="pk_adapter_sources"
        ),
        sa.ForeignKeyConstraint(
            ["adapter_id"],
            ["adapters.id"],
            name="fk_adapter_sources_adapter_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_adapter_sources_conversation_id", "adapter_sources", ["conversation_id"])


def _make_activations() -> None:
    op.create_table(
        "activations",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("model_id", sa.Text, nullable=False),
        sa.Column("adapter_id", sa.String(16)),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_activations"),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_activations_model_id"),
    )
    op.create_index("ix_activations_model_id", "activations", ["model_id"])
