"""The README's tables of settings and commands, made from the code: `python -m esg_assets.cli.reference`.

    python -m esg_assets.cli.reference --write README.md

puts them between the README's markers; a test holds that the README has exactly these.
"""

import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from esg_assets.cli.answers import Output
from esg_assets.cli.commands import EVERYWHERE
from esg_assets.cli.main import build

_MANY = 6
"""Commands with more options than this are shown with the first few; `--help` shows all."""


def settings_table() -> str:
    """Markdown: every setting with its meaning and default; **s** marks what is or can hold a secret."""
    from esg_assets.settings import SECRETS, Settings, variable_of  # noqa: PLC0415 - slow beside the commands

    lines = ["| setting | meaning | default |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        mark = " **s**" if name in SECRETS else ""
        lines.append(f"| {variable_of(name)}{mark} | {_cell(field.description or '')} | {_default(field)} |")
    return "\n".join(lines)


def commands_table() -> str:
    """Markdown: every command as it is typed, with what it does."""
    lines = ["| command | does |", "|---|---|"]
    lines += [
        f"| `{_cell(usage(name, command))}` | {_cell(_help(command))} |" for name, command in commands()
    ]
    return "\n".join(lines)


def commands() -> Iterator[tuple[str, Any]]:
    """Every command by its full name, such as "keys generate", with typer's object for it."""
    yield from _below(typer.main.get_command(build(Output(io.StringIO(), io.StringIO(), as_json=False))), "")


def usage(name: str, command: Any) -> str:
    """How a command is typed: `esg-assets keys generate DIR [--only host|recipient|custodian]`."""
    arguments = [_argument(p) for p in command.params if p.param_type_name == "argument"]
    options = [
        _option(p) for p in command.params if p.param_type_name == "option" and p.opts[0] not in EVERYWHERE
    ]
    if len(options) > _MANY:
        options = [*options[: _MANY - 1], "…"]
    return " ".join(["esg-assets", name, *arguments, *options])


def put_tables(text: str) -> str:
    """A README's text with the tables of today between its markers.

    Raises:
        ValueError: a marker is missing.
    """
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        if begin not in text or end not in text:
            raise ValueError(f"no {begin} … {end}")
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{table()}\n{end}{after}"
    return text


TABLES: Mapping[str, Callable[[], str]] = {"settings": settings_table, "commands": commands_table}


def _below(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    for own, command in group.commands.items():
        full = f"{name} {own}".strip()
        if hasattr(command, "commands"):
            yield from _below(command, full)
        else:
            yield full, command


def _argument(parameter: Any) -> str:
    shown = parameter.metavar or parameter.name.upper()
    return shown if parameter.required else f"[{shown}]"


def _option(parameter: Any) -> str:
    flag = parameter.opts[0]
    kind = parameter.type_descriptor
    if not parameter.is_bool_flag:
        choices = "|".join(str(getattr(choice, "value", choice)) for choice in kind.choices or ())
        flag += " " + (parameter.metavar or choices or flag.removeprefix("--").replace("-", "_").upper())
    return flag if parameter.required else f"[{flag}]"


def _help(command: Any) -> str:
    return " ".join((command.help or "").split())


def _default(field: Any) -> str:
    from esg_assets.settings.model import shown  # noqa: PLC0415 - slow beside the commands

    extra = field.json_schema_extra or {}
    if "shown_default" in extra:
        return _cell(extra["shown_default"])
    text = shown(field.default)
    return "-" if text is None else f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main(arguments: Sequence[str]) -> int:
    """Print the tables, or with `--write FILE` put them into FILE."""
    if len(arguments) == 2 and arguments[0] == "--write":  # noqa: PLR2004 - the flag and its file
        file = Path(arguments[1])
        file.write_text(put_tables(file.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    sys.stdout.write("\n\n".join(table() for table in TABLES.values()) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
