"""Alembic's entry: runs on the connection that expectations.ledger.database opened."""

from alembic import context

from expectations.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
