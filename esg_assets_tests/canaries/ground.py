"""An installation whose every outlet is caught, for failure modes to be driven in, one date for each.

Whatever is written ends below one folder; inputs and keys, which hold canaries by right, are outside.
Every logger of the process is at DEBUG, with a handler of logging's own.
"""

import base64
import contextlib
import io
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from esg_assets import composition
from esg_assets.adapters import logs
from esg_assets.adapters.account_sources.page_request import World
from esg_assets.core.ports import CallPolicy
from esg_assets.settings import Settings, load_settings
from esg_assets.settings.known_secrets import known
from esg_assets_tests.canaries.planted import Canary
from esg_assets_tests.fakes import FakeAccountSource, FakeRatingsApi
from esg_assets_tests.pipeline.house import QUICK, Config, House, Ran, house_on_disk

FIRST = date(2026, 1, 3)


@dataclass
class Ground:
    """The installation, and what was written that is no file of its own.

    Attributes:
        folder: of everything.
        house: in `folder`/written/home, with its SQLite history.
        texts: further things written, by what they are called.
    """

    folder: Path
    house: House
    texts: dict[str, str | bytes] = field(default_factory=dict)

    @property
    def written(self) -> Path:
        return self.folder / "written"

    @property
    def inputs(self) -> Path:
        """For files that hold canaries because they must."""
        return self.folder / "inputs"

    def key_needles(self) -> list[str]:
        """The working key and the lines of the private keys, as somebody may have written them."""
        keys = self.house.home / "keys"
        working = (keys / "demo-working.key").read_bytes()
        found = [
            working.hex(),
            working.hex().upper(),
            base64.b64encode(working).decode(),
            repr(working)[2:-1],
        ]
        for name in ("demo-signing.pem", "demo-recipient.pem"):
            # The first line of an RSA key is the same for all of its size.
            lines = (keys / name).read_text(encoding="ascii").splitlines()[1:-1]
            found += lines if len(lines) == 1 else lines[1:]
        return found

    def searched(self) -> list[Path]:
        """Folders in which nothing may be found."""
        return [
            path
            for folder in (self.written, self.house.home)
            for path in folder.iterdir()
            if not _apart(path)
        ]

    def day(self, canary: Canary) -> date:
        return FIRST + timedelta(days=canary.number)

    def settings(self, **variables: str) -> Settings:
        """The house's settings with others in place of some, by variable; wrong ones are kept as faults."""
        return load_settings(environ=self.environ(**variables), dotenv=None, tolerant=True)

    def environ(self, **variables: str) -> dict[str, str]:
        """The variables of the installation."""
        keys = self.house.home / "keys"
        return {
            "DAGSTER_HOME": str(self.house.home),
            "ESG_ACCOUNTS_URL": str(self.inputs / "accounts.csv"),
            "ESG_API_URL": "http://127.0.0.1:9",
            "ESG_API_AUTH": "none",
            "ESG_API_MAX_ATTEMPTS": "2",
            "ESG_API_TIMEOUT_SECONDS": "1",
            "ESG_API_OUTAGE_SECONDS": "1",
            "ESG_API_RATE_LIMIT": "1000",
            "ESG_API_BURST": "20",
            "ESG_WORKING_KEY": str(keys / "demo-working.key"),
            "ESG_SIGNING_KEY": str(keys / "demo-signing.pem"),
            "ESG_REPORT_RECIPIENTS": str(keys / "demo-recipient.pub.pem"),
            **variables,
        }

    def run(
        self,
        canary: Canary,
        *,
        rows: list[dict[str, object]] | None = None,
        script: Mapping[str, Any] | None = None,
        config: Config | None = None,
        blocks: bool = True,
        **overrides: Any,
    ) -> Ran:
        """One run of the job for the mode's own date.

        Args:
            canary: of the mode.
            rows: of the account system; the canary's.
            script: answers of the provider by account; the canary's good ones.
            config: switches by asset.
            blocks: whether a share of failed accounts may stop the publication.
            overrides: ports instead of the house's, by key; None for the real one.
        """
        house, day = self.house, self.day(canary)
        given = canary.rows() if rows is None else rows
        house.source = FakeAccountSource(given, past={day - timedelta(days=1): given})
        house.api = FakeRatingsApi(script, otherwise=canary.reply, policy=QUICK)
        limits = (
            {}
            if blocks
            else {"failure_rate_block": 1.0, "not_rated_rate_block": 1.0, "not_rated_rise_block": 1.0}
        )
        house.overrides = {
            "history": None,
            "settings": house.settings.model_copy(update={"accounts_drop_block": 1.0, **limits}),
            **overrides,
        }
        return house.run(day, config=config)


def _no_wait(_: float) -> None:
    """Instead of sleep."""


def _hurried(policy: Callable[[Settings], CallPolicy]) -> Callable[[Settings], CallPolicy]:
    """The policy of the settings, with hardly a wait between two tries."""
    return lambda settings: replace(
        policy(settings),
        backoff_seconds=QUICK.backoff_seconds,
        backoff_cap_seconds=QUICK.backoff_cap_seconds,
    )


def _apart(path: Path) -> bool:
    return path.name in {"keys", "home"}


@contextlib.contextmanager
def prepared(folder: Path) -> Iterator[Ground]:
    """A ground in `folder`, with every outlet of this process caught while it lives."""
    written = folder / "written"
    for name in ("inputs", "written", "written/tmp", "written/cwd"):
        (folder / name).mkdir()
    with (
        pytest.MonkeyPatch.context() as patch,
        house_on_disk(written) as house,
        _outlets(written),
    ):
        for name in [*os.environ]:
            if name.startswith(("ESG_", "AWS_")):
                patch.delenv(name)
        patch.setenv("TMPDIR", str(written / "tmp"))
        patch.setattr(tempfile, "tempdir", str(written / "tmp"))
        patch.chdir(written / "cwd")
        # As many tries as ever, without the minute that lies between the first and the last of them.
        patch.setattr("esg_assets.adapters.account_sources.http.World", partial(World, sleep=_no_wait))
        patch.setattr("esg_assets.composition.call_policy", _hurried(composition.call_policy))
        yield Ground(folder, house)


@contextlib.contextmanager
def _outlets(written: Path) -> Iterator[None]:
    """Both streams into files, and every logger at DEBUG into a third, as an unwary engineer sets it up."""
    factory, root = logging.getLogRecordFactory(), logging.getLogger()
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    quiet = [root, logging.getLogger("sqlalchemy")]  # SQLAlchemy's is at WARNING by itself
    levels = [logger.level for logger in quiet]
    handler = logging.FileHandler(written / "debug.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    logs.install(known)
    root.addHandler(handler)
    for logger in quiet:
        logger.setLevel(logging.DEBUG)
    try:
        with _into(1, written / "stdout"), _into(2, written / "stderr"):
            yield
    finally:
        for logger, level in zip(quiet, levels, strict=True):
            logger.setLevel(level)
        root.removeHandler(handler)
        handler.close()
        logging.setLogRecordFactory(factory)
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks


@contextlib.contextmanager
def _into(number: int, path: Path) -> Iterator[None]:
    """A file descriptor, and Python's stream on it, into a file."""
    name = {1: "stdout", 2: "stderr"}[number]
    before, stream = os.dup(number), getattr(sys, name)
    stream.flush()
    with path.open("ab", buffering=0) as file:
        os.dup2(file.fileno(), number)
        own = io.TextIOWrapper(os.fdopen(os.dup(number), "ab", buffering=0), write_through=True)
        setattr(sys, name, own)
        try:
            yield
        finally:
            setattr(sys, name, stream)
            own.close()
            os.dup2(before, number)
            os.close(before)
