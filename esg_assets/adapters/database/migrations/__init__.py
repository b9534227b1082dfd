"""Alembic's folder: how the database came to look as `esg_assets.adapters.database.models` says."""
