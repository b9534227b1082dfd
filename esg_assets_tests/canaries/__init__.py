"""Canaries: recognisable accounts and secrets, planted anew for each failure mode, and searched everywhere.

Rooms: `planted` (the canaries), `ground` (an installation and every place that is written to),
`*_modes` (what goes wrong), `suite` (all modes, run and searched), `table` (docs/canaries.md).
"""
