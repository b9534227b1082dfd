"""The contenders: scripts that collect the same ratings from the same server, each its own way.

The peers run in an environment of their own, so nothing here but `ours` imports from esg_assets.
"""
