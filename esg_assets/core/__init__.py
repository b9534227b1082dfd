"""The rules: what an account, an outcome, a report and a verdict are, with no I/O at all.

Time, randomness and everything outside come in as arguments. Only the standard library, pandas and
pyarrow may be imported here; import-linter holds that.
"""
