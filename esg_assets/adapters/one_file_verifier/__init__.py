"""The one-file verifier for auditors: made of our own rules, and run with nothing of ours installed.

`folder_verification` is what it does with a folder, `bundling` makes the file of the modules that judge.
"""

from esg_assets.adapters.one_file_verifier.bundling import verifier_source, write_verifier

__all__ = ["verifier_source", "write_verifier"]
