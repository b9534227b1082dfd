"""What is wrong with settings: one fault each, and the error that lists several at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from esg_assets.core.errors import SettingsWrong


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        setting: the variable's name, or ".env".
        text: the whole sentence: name, what it holds (masked), what is wanted.
    """

    setting: str
    text: str

    def __str__(self) -> str:
        return self.text


class FieldsWrong(SettingsWrong):
    """Values that their fields refuse; `wanted` says by field what is wanted, never what was got."""

    def __init__(self, wanted: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{name}: wanted: {text}" for name, text in wanted))
        self.wanted = tuple(wanted)


def settings_wrong(faults: Sequence[Fault]) -> SettingsWrong:
    """One error for all of `faults`."""
    if len(faults) == 1:
        return SettingsWrong(
            f"{faults[0]}. Nothing was started; `esg-assets settings` shows what is in force."
        )
    lines = "\n".join(f"  {fault}" for fault in faults)
    return SettingsWrong(
        f"{len(faults)} settings are wrong or missing:\n{lines}\n"
        "Nothing was started; `esg-assets settings` shows what is in force."
    )
