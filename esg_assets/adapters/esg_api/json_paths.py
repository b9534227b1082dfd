"""JMESPath expressions over documents of `esg_assets.core.rating_bodies.parse`.

Numbers are texts here, so that not a digit is lost: an expression compares them as texts (`code == '7'`)
and cannot calculate with them. One that tries would quietly find nothing, so it is refused.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

_OF_NUMBERS = frozenset({"abs", "avg", "ceil", "floor", "sum", "to_number"})


class JsonPath:
    """One compiled expression; safe to use from many threads.

    Raises:
        ValueError: the text is no JMESPath expression, or needs numbers; says what is wanted.
    """

    def __init__(self, text: str) -> None:
        try:
            self._expression = jmespath.compile(text)
        except JMESPathError:
            raise ValueError("a JMESPath expression (https://jmespath.org)") from None
        if any(map(_needs_numbers, _nodes(self._expression.parsed))):
            raise ValueError("a JMESPath expression in which numbers are texts, such as code == '7'")
        self._text = text

    def find(self, document: object) -> object:
        """What it finds; None for nothing, and where it calls a function on what that does not take."""
        try:
            return self._expression.search(document)
        except JMESPathError:
            return None

    def __repr__(self) -> str:
        return f"JsonPath({self._text!r})"


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A node of a parsed expression and all below it."""
    yield node
    for child in node["children"]:
        if isinstance(child, Mapping):  # others are the bounds of a slice
            yield from _nodes(child)


def _needs_numbers(node: Mapping[str, Any]) -> bool:
    if node["type"] == "function_expression":
        return node["value"] in _OF_NUMBERS
    return node["type"] == "comparator" and any(
        child["type"] == "literal" and type(child["value"]) in {int, float} for child in node["children"]
    )
