"""One module or package for each outside thing; none knows Dagster or another adapter.

What they need of each other they take as a port (`esg_assets.core.ports`); `esg_assets.resources`
puts them together.
"""
