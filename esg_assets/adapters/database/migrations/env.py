"""Alembic's environment: runs migrations on the connection that `migrate.upgrade` hands over."""

from alembic import context

from esg_assets.adapters.database import migrate

migrate.configure(context)
with context.begin_transaction():
    context.run_migrations()
