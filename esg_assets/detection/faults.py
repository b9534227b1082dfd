"""What kept a detector from looking, in words that may stand in a tick: never another's text."""

from esg_assets.core import exception_words
from esg_assets.core.errors import EsgError


def fault(doing: str, error: Exception) -> str:
    """Such as `looking at run …: an unexpected KeyError at runs.py:12 in look`."""
    if isinstance(error, EsgError):
        return f"{doing}: {error}"
    places = exception_words.places(error.__traceback__)
    where = f" at {places[-1]}" if places else ""
    return f"{doing}: an unexpected {type(error).__name__}{where}"
