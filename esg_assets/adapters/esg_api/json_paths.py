"""JMESPath expressions over documents of `esg_assets.core.rating_bodies.parse`.

Numbers are texts here, so that not a digit is lost: an expression compares them as texts (`code == '7'`)
and cannot calculate with them.
"""

import jmespath
from jmespath.exceptions import JMESPathError


class JsonPath:
    """One compiled expression; safe to use from many threads.

    Raises:
        ValueError: the text is no JMESPath expression.
    """

    def __init__(self, text: str) -> None:
        try:
            self._expression = jmespath.compile(text)
        except JMESPathError:
            raise ValueError("a JMESPath expression") from None
        self._text = text

    def find(self, document: object) -> object:
        """What it finds; None for nothing, and where it calls a function on what that does not take."""
        try:
            return self._expression.search(document)
        except JMESPathError:
            return None

    def __repr__(self) -> str:
        return f"JsonPath({self._text!r})"
