"""Alembic runs the migrations on the connection, and in the transaction, that `desk.migrate` gives it."""

from alembic import context

import desk.schema  # noqa: F401 - its tables join the metadata
from touchpoints.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
