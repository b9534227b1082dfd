"""Metrics: what is told to Prometheus, from values that may stand in the clear already.

`catalogue` names every metric, `reports`, `runs` and `alerts` make samples of them. Nothing here knows
how they are served (`esg_assets.exporter`).
"""
