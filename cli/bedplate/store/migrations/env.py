"""Alembic's environment: migrates on the connection that `bedplate.store.schema` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from bedplate.store.tables import METADATA, VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    compare_type=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
