"""Runs revisions over the connection that `deployments.store.migrate` has opened and locked."""

from alembic import context

from deployments.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
