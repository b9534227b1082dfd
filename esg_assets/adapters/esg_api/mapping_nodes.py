"""Strict reading of a YAML mapping: every key is known, and a message names the place of what is wrong.

What the keys of ESG_API_MAPPING mean is `mapping`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from esg_assets.adapters.esg_api.json_paths import JsonPath
from esg_assets.core.errors import SettingsWrong

SETTING = "ESG_API_MAPPING"


@dataclass(frozen=True)
class Node:
    """A value of the YAML and where it stands.

    Attributes:
        value: what the YAML holds there.
        at: the keys that lead there, such as reply.fields.rating; "" for the whole.
    """

    value: object = field(repr=False)
    at: str = ""

    def wrong(self, wanted: str) -> SettingsWrong:
        """The error that says where this stands and what is wanted there."""
        return SettingsWrong(f"{SETTING}{', ' if self.at else ''}{self.at}: wanted {wanted}.")

    def keys(self, required: str = "", optional: str = "") -> dict[str, "Node"]:
        """The values under the keys, which are named in blank-separated lists."""
        known = [*required.split(), *optional.split()]
        children = self.children(f"a mapping with the keys {', '.join(known)}")
        for name, child in children.items():
            if name not in known:
                raise SettingsWrong(
                    f"{SETTING} has an unknown key {child.at}. Wanted there: {', '.join(known)}."
                )
        for name in required.split():
            if name not in children:
                raise self.wrong(f"the key {name}")
        return children

    def children(self, wanted: str) -> dict[str, "Node"]:
        """The values of a mapping whose keys are anything."""
        if not isinstance(self.value, Mapping):
            raise self.wrong(wanted)
        before = f"{self.at}." if self.at else ""
        return {str(name): Node(value, f"{before}{name}") for name, value in self.value.items()}

    def text(self, wanted: str = "a text") -> str:
        """A text that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.wrong(wanted)
        return self.value

    def choice(self, *words: str) -> str:
        """One of `words`."""
        if self.value not in words:
            raise self.wrong(f"one of {', '.join(words)}")
        return str(self.value)

    def whole(self, least: int, most: int) -> int:
        """A whole number."""
        if type(self.value) is not int or not least <= self.value <= most:
            raise self.wrong(f"a whole number from {least} to {most}")
        return self.value

    def decimal(self) -> Decimal:
        """A number, exactly as the YAML shows it."""
        try:
            number = Decimal(str(self.value)) if type(self.value) in {int, float} else None
        except InvalidOperation:  # .nan is a Decimal, but nothing else should be able to get here
            number = None
        if number is None or not number.is_finite():
            raise self.wrong("a number")
        return number

    def path(self) -> JsonPath:
        """A JMESPath expression."""
        try:
            return JsonPath(self.text("a JMESPath expression"))
        except ValueError as error:  # its text is ours
            raise self.wrong(str(error)) from None

    def texts(self, wanted: str) -> dict[str, str]:
        """A mapping of texts; numbers, true and false as values are taken as their JSON."""
        found = {}
        for name, child in self.children(wanted).items():
            if isinstance(child.value, bool) or not isinstance(child.value, str | int | float):
                raise child.wrong("a text or a number")
            found[name] = str(child.value)
        return found
