"""Alembic's environment of the migrations; `store.schema` passes it an open transaction."""

from alembic import context

from chatdesk.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters a table by making a new one
    transactional_ddl=True,  # all or nothing: SQLite can, but Alembic does not expect it
)
with context.begin_transaction():
    context.run_migrations()
