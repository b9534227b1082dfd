"""Alembic's folder: how the database came to look as `esg_assets.adapters.history.models` says."""
