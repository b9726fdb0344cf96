"""Conversations, messages, answers, models."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _choice(*values: str, name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=16)


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column(
            "title_source", _choice("none", "model", "user", name="titlesource"), nullable=False
        ),
        sa.Column("system_prompt", sa.Text, nullable=False),
        sa.Column("active_leaf_id", sa.String(16)),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("updated", sa.DateTime, nullable=False),
        sa.Column("deleted", sa.DateTime),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_deleted_updated", "conversations", ["deleted", "updated"])
    op.create_table(
        "models",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("header", sa.Text, nullable=False),
        sa.Column("bytes", sa.Integer, nullable=False),
        sa.Column("mtime_ns", sa.Integer, nullable=False),
        sa.Column("sha256", sa.Text),
        sa.Column("added", sa.DateTime, nullable=False),
        sa.Column("listed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("path", "bytes", "mtime_ns", name="uq_models_path_bytes_mtime_ns"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("conversation_id", sa.String(16), nullable=False),
        sa.Column("parent_id", sa.String(16)),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("role", _choice("system", "user", "assistant", name="role"), nullable=False),
        sa.Column(
            "state",
            _choice(
                "complete", "streaming", "stopped", "interrupted", "failed", name="messagestate"
            ),
            nullable=False,
        ),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.Column("writer", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint(
            "conversation_id", "position", name="uq_messages_conversation_id_position"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_messages_conversation_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["messages.id"], name="fk_messages_parent_id"),
    )
    op.create_index("ix_messages_parent_id", "messages", ["parent_id"])
    op.create_index(
        "ix_messages_writer", "messages", ["writer"], sqlite_where=sa.text("writer IS NOT NULL")
    )
    op.create_table(
        "answers",
        sa.Column("message_id", sa.String(16), nullable=False),
        sa.Column("model_id", sa.Text),
        sa.Column("model_name", sa.Text, nullable=False),
        sa.Column("adapter_id", sa.Text),
        sa.Column("adapter_scale", sa.Double),
        sa.Column("sampling", sa.Text, nullable=False),
        sa.Column("prompt_tokens", sa.Integer),
        sa.Column("cached_tokens", sa.Integer),
        sa.Column("completion_tokens", sa.Integer),
        sa.Column("ttft_s", sa.Double),
        sa.Column("tokens_per_s", sa.Double),
        sa.Column("duration_s", sa.Double),
        sa.Column("stop_reason", sa.Text),
        sa.Column("error", sa.Text),
        sa.PrimaryKeyConstraint("message_id", name="pk_answers"),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_answers_message_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_answers_model_id"),
    )
