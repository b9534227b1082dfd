"""Commands that read published reports: what they print to who holds a key stands nowhere else.

Where a command shows accounts by right, its standard output is taken apart before the search; everything
else it writes is searched, and of a command that fails its standard output too.
"""

import contextlib
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from esg_assets.cli import main as cli
from esg_assets.core import replies
from esg_assets.core.central_time import central_date
from esg_assets.core.ratings import Reply
from esg_assets_tests.canaries.ground import Ground
from esg_assets_tests.canaries.mode import Mode
from esg_assets_tests.canaries.planted import Canary

_DAY = ["--date", "{day}"]
_KEY = ["--key", "{key}"]
_SPAN = ["--from", "{day}", "--to", "{day}"]
_ALL_AGAIN = {"esg_ratings": {"refresh": "all"}}

Spoil = Callable[[Ground, Canary, pytest.MonkeyPatch], None]


def _mode(
    name: str,
    arguments: Sequence[str],
    status: int,
    *,
    by_right: bool = False,
    versions: int = 1,
    stdin: str = "{id}\n",
    blows: str = "",
    spoil: Spoil | None = None,
) -> Mode:
    """A command over a report that was published with the canary's accounts.

    Args:
        name: for the table.
        arguments: after `report`.
        status: its exit status.
        by_right: it shows accounts on standard output, which is not searched then.
        versions: of the report; none for what is refused before anything is read.
        stdin: of standard input.
        blows: what raises an error with everything in its text, as `module.name`.
        spoil: what else goes wrong.
    """

    def drive(ground: Ground, canary: Canary) -> None:
        _publish(ground, canary, versions)
        known = {
            "day": ground.day(canary),
            "inputs": ground.inputs,
            "key": ground.house.home / "keys" / "demo-recipient.pem",
            "id": canary.ids[3],
            "today": central_date(datetime.now(UTC)),
            "out": f"opened-{canary.number}.csv",
        }
        with pytest.MonkeyPatch.context() as patch, contextlib.ExitStack() as held:
            for variable, value in ground.environ().items():
                patch.setenv(variable, value)
            patch.setattr("sys.stdin", io.StringIO(stdin.format(**known)))
            if blows:
                patch.setattr(f"esg_assets.{blows}", canary.blow)
            if spoil is not None:
                spoil(ground, canary, patch)
            shown = held.enter_context(contextlib.redirect_stdout(io.StringIO())) if by_right else None
            assert cli.run(["report", *(each.format(**known) for each in arguments)]) == status
            if shown is not None:
                assert any(score in shown.getvalue() for score in (*canary.scores, *canary.ids))

    return Mode(f"report {name}", drive)


def _publish(ground: Ground, canary: Canary, versions: int) -> None:
    """An account has failed; in the second version another one too, which had a score."""
    if versions:
        assert ground.run(canary, script=canary.script(a4=Reply(422)), blocks=False).success
    if versions > 1:
        script = canary.script(a3=Reply(422), a4=Reply(422))
        assert ground.run(canary, script=script, config=_ALL_AGAIN, blocks=False).success


def _damaged(kind: str) -> Spoil:
    """A byte of the newest object of a kind is another one."""

    def spoil(ground: Ground, canary: Canary, _: pytest.MonkeyPatch) -> None:
        folder = ground.house.home / kind / str(ground.day(canary))
        found = [*folder.rglob("*.csv.esdk")] or [each for each in folder.rglob("*") if each.is_file()]
        path = max(found, key=lambda each: each.stat().st_mtime_ns)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.chmod(0o600)
        path.write_bytes(data)

    return spoil


def _nobody_is_rated(_: Ground, __: Canary, patch: pytest.MonkeyPatch) -> None:
    """Answers give something else than they did."""

    def judged(_reply: Reply, *rest: Any) -> Any:
        return replies.judge_many(Reply(404), *rest)

    patch.setattr("esg_assets.core.reproduction.judge_many", judged)


MODES = [
    _mode("reproduce, all is well", ["reproduce", *_DAY, *_KEY], 0),
    _mode(
        "reproduce --json, answers give something else",
        ["reproduce", *_DAY, "--json"],
        1,
        spoil=_nobody_is_rated,
    ),
    _mode(
        "reproduce with a key, answers give something else",
        ["reproduce", *_DAY, *_KEY],
        1,
        spoil=_nobody_is_rated,
    ),
    _mode("reproduce, a part was altered", ["reproduce", *_DAY], 1, spoil=_damaged("work/parts")),
    _mode(
        "reproduce --traceback, judging breaks",
        ["reproduce", *_DAY, "--traceback"],
        1,
        blows="core.reproduction.judge_many",
    ),
    _mode("account, all is well", ["account", *_SPAN, *_KEY], 0, by_right=True),
    _mode("account, its id as an argument", ["account", *_SPAN, *_KEY, "{id}"], 2, versions=0),
    _mode(
        "account --json, its id as an option and a date",
        ["account", "--from", "{id}", "--id={id}", "--json"],
        2,
        versions=0,
    ),
    _mode(
        "account, two lines of standard input",
        ["account", *_SPAN, *_KEY],
        2,
        stdin="{id}\n{id}\n",
        versions=0,
    ),
    _mode(
        "account, a report was altered",
        ["account", *_SPAN, *_KEY],
        1,
        by_right=True,
        spoil=_damaged("store/reports"),
        versions=2,
    ),
    _mode(
        "account --traceback, finding breaks",
        ["account", *_SPAN, *_KEY, "--traceback"],
        1,
        blows="core.account_history.find",
    ),
    _mode("diff, all is well", ["diff", "{day}@1", "{day}", *_KEY], 0, by_right=True, versions=2),
    _mode("diff, an id where a date is wanted", ["diff", "{id}", "{day}", *_KEY], 2, versions=0),
    _mode("diff, an id too many", ["diff", "{day}@1", "{day}", "{id}", *_KEY], 2, versions=0),
    _mode(
        "diff --json, a report was altered",
        ["diff", "{day}@1", "{day}", *_KEY, "--json"],
        1,
        spoil=_damaged("store/reports"),
        versions=2,
    ),
    _mode(
        "diff --traceback, comparing breaks",
        ["diff", "{day}@1", "{day}", *_KEY, "--traceback"],
        1,
        blows="core.row_changes.kinds",
        versions=2,
    ),
    _mode("list --as-of, all is well", ["list", *_DAY, "--as-of", "{today}"], 0),
    _mode("list --as-of, an id where a moment is wanted", ["list", "--as-of", "{id}"], 2, versions=0),
    _mode(
        "list --as-of --traceback, the history breaks",
        ["list", *_DAY, "--as-of", "{today}", "--traceback"],
        1,
        blows="adapters.database.past_reports.said_at",
    ),
    _mode("failures with a key, all is well", ["failures", *_DAY, *_KEY], 0, by_right=True),
    _mode(
        "failures --traceback, reading breaks",
        ["failures", *_DAY, "--traceback"],
        1,
        blows="cli.reports.failed_accounts",
    ),
    _mode(
        "decrypt to a file that cannot be made", ["decrypt", *_DAY, *_KEY, "--out", "{inputs}/none/{out}"], 1
    ),
    _mode(
        "decrypt, the report was altered",
        ["decrypt", *_DAY, *_KEY, "--out", "{out}"],
        1,
        spoil=_damaged("store/reports"),
    ),
    _mode("hold, an account in the reason", ["hold", *_DAY, "--reason", "asked about {id}"], 2),
]
