"""What pages are made of beside the figures: the templates and the software, as a digest.

Apart from `rendering`, because whoever only asks whether pages are out of date need not load what draws them.
"""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates")


def software() -> str:
    """Version of this package."""
    return version("esg_assets")


@cache
def digest() -> str:
    """Changes with every change of a template or of the software: pages are then made again."""
    found = hashlib.sha256(software().encode())
    for path in sorted([*TEMPLATES.iterdir(), *Path(__file__).parent.glob("*.py")]):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]
