"""Projects, pins and the archive; where imported chats are from; the search index."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

SEARCH_INDEX = (
    "CREATE VIRTUAL TABLE search_index USING fts5(words, pairs, facets, content='', columnsize=0, "
    "prefix='3', tokenize=\"ascii tokenchars '#$%&+@'\")"
)
NAMES_A_FILE = sa.text("sha256 IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "projects",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("colour", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("created", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
    )
    with op.batch_alter_table("conversations", recreate="always") as table:
        table.add_column(sa.Column("project_id", sa.String(16)))
        table.add_column(_no("pinned"))
        table.add_column(_no("archived"))
        table.create_foreign_key(
            "fk_conversations_project_id", "projects", ["project_id"], ["id"], ondelete="SET NULL"
        )
    op.create_index("ix_conversations_project_id", "conversations", ["project_id"])
    _make_origins()
    op.add_column("message_parts", sa.Column("sha256", sa.String(64)))
    op.execute("UPDATE message_parts SET sha256 = json_extract(content, '$.sha256') "
               "WHERE kind IN ('image', 'audio', 'attachment')")  # fmt: skip
    op.create_index(
        "ix_message_parts_sha256", "message_parts", ["sha256"], sqlite_where=NAMES_A_FILE
    )
    _make_search()


def _no(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text("0"))


def _make_origins() -> None:
    op.create_table(
        "origins",
        sa.Column("conversation_id", sa.String(16), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_origins"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_origins_conversation_id",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("source", "source_id", name="uq_origins_source_source_id"),
    )
    op.create_table(
        "message_origins",
        sa.Column("message_id", sa.String(16), nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_message_origins"),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name="fk_message_origins_message_id",
            ondelete="CASCADE",
        ),
    )


def _make_search() -> None:
    op.create_table(
        "search_rows",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("conversation_id", sa.String(16), nullable=False),
        sa.Column("message_id", sa.String(16)),
        sa.PrimaryKeyConstraint("number", name="pk_search_rows"),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name="fk_search_rows_message_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_search_rows_conversation_id",
        "search_rows",
        ["conversation_id"],
        sqlite_where=sa.text("message_id IS NULL"),
    )
    op.create_index("ix_search_rows_message_id", "search_rows", ["message_id"], unique=True)
    op.create_table(
        "search_queue",
        sa.Column("conversation_id", sa.String(16), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", name="pk_search_queue"),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name="fk_search_queue_conversation_id",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "search_remains",
        sa.Column("at", sa.DateTime, nullable=False),
        sa.PrimaryKeyConstraint("at", name="pk_search_remains"),
    )
    op.execute(SEARCH_INDEX)
    op.execute("INSERT INTO search_queue SELECT id FROM conversations")
