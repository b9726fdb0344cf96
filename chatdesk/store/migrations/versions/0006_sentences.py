"""Sentences as parts (see `store.sentences`); old ones stay the words that they are."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

COLUMNS = (("answers", "error"), ("adapters", "error"), ("downloads", "problem"))


def upgrade() -> None:
    connection = op.get_bind()
    for table, column in COLUMNS:
        rows = sa.table(table, sa.column("rowid", sa.Integer), sa.column(column, sa.Text))
        words = rows.c[column]
        for row in connection.execute(sa.select(rows.c.rowid, words.label("words"))).all():
            if row.words:
                quoted = json.dumps(row.words, ensure_ascii=False)
                this = sa.update(rows).where(rows.c.rowid == row.rowid)
                connection.execute(this.values({column: quoted}))
