"""`esg-assets doctor`: look at everything a run needs, and say what to do."""

import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from esg_assets.cli.answers import Answer, Rows
from esg_assets.cli.commands import Commands
from esg_assets.core.errors import EsgError

if TYPE_CHECKING:
    from esg_assets.cli.doctor_checks import Finding
    from esg_assets.settings import Settings

    Checks = Mapping[str, tuple[Callable[[Settings], Iterator[Finding]], bool]]

Repair = Annotated[
    bool,
    typer.Option(
        "--repair",
        help="Remove what killed runs left in the stores: open uploads, temporary files, and objects that "
        "nothing refers to, of dates that no run is at.",
    ),
]
AnyAge = Annotated[bool, typer.Option("--any-age", help="With --repair: also what is younger than a day.")]


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("doctor", doctor)


def doctor(repair: Repair = False, any_age: AnyAge = False) -> Answer:
    """Look at settings, keys, stores, database, APIs, channels: ok, or what to do; exit 1 if one is wrong."""
    checks = _checks(repair=repair, any_age=any_age)
    from esg_assets.settings import load_settings  # noqa: PLC0415

    settings = load_settings(tolerant=True)
    found = [(name, finding) for name in checks for finding in examine(name, settings, checks)]
    wrong = sum(finding.state == "wrong" for _, finding in found)
    end = f"{wrong} to put right." if wrong else "Nothing to put right."
    return Answer(
        {
            "ok": not wrong,
            "checks": [
                {"name": name, "state": finding.state, "text": finding.text} for name, finding in found
            ],
        },
        [
            Rows(("check", "is", "found"), [(name, finding.state, finding.text) for name, finding in found]),
            end,
        ],
        status=1 if wrong else 0,
    )


def _checks(*, repair: bool, any_age: bool) -> "Checks":
    """Every check by its name, those of the stores behind the others that read them."""
    from esg_assets.cli import channel_checks, store_checks  # noqa: PLC0415 - pydantic is slow to import
    from esg_assets.cli.doctor_checks import CHECKS  # noqa: PLC0415 - as above

    return {
        **CHECKS,
        "channels": (channel_checks.channels_answer, True),
        "records' bucket": (store_checks.records_protected, True),
        "leftovers": (partial(store_checks.leftovers, repair=repair, any_age=any_age), True),
    }


def examine(name: str, settings: "Settings", checks: "Checks") -> Iterator["Finding"]:
    """The findings of one check; whatever goes wrong in it is one of them."""
    from esg_assets.cli.doctor_checks import Finding  # noqa: PLC0415 - pydantic is slow to import

    check, goes_out = checks[name]
    if goes_out and settings.faults:
        # A setting that is wrong may be the one that keeps dev away from a real system.
        yield Finding("skipped", "first put the settings right")
        return
    try:
        yield from check(settings)
    except EsgError as error:
        yield Finding("wrong", str(error))
    except Exception as error:  # noqa: BLE001 - a check that fails must not hide the others
        frame = traceback.extract_tb(error.__traceback__)[-1]
        yield Finding(
            "wrong", f"unexpected {type(error).__name__} in {Path(frame.filename).name}:{frame.lineno}"
        )
