"""The nightly ESG rating report of every active account: complete, sealed, on time, and provably so.

Importing this package touches nothing: no environment, file, network or thread. Import the module
you need; `esg_assets.definitions` is what Dagster loads, `esg_assets.cli.main` is the command line.
"""

__version__ = "0.1.0"
