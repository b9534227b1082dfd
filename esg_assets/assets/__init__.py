"""The four assets, one a file: read → decide → write → metadata.

They receive ports (`esg_assets.core.ports`) as resources and never see an adapter. What their
partitions are is passed in, because the first date is a setting and importing reads none.
"""
