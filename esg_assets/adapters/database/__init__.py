"""The database of ESG_DATABASE_URL: the history (`history`) and the alerts that wait (`outbox`).

The history holds cleared figures of every publication, runs, and the chain's head. SQLite or
PostgreSQL (any database of SQLAlchemy, without protection against two first openings at once). No
account id, name or exact figure is ever in it.
"""
