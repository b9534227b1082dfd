"""What stands in deploy/ outside Python: each example deployed or started for real, and judged."""
