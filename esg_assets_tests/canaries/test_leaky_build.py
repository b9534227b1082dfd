"""The search proves something: it finds canaries of every kind in every place, and a build that leaks."""

import base64
import contextlib
import gzip
import logging
import os
import subprocess
import sys
import traceback
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import dagster as dg
import pytest
import sqlalchemy as sa
from dagster_shared.error import SerializableErrorInfo

from esg_assets import io_managers
from esg_assets.assets import active_accounts, daily_summary, encrypted_report_csv, esg_ratings
from esg_assets.core import exception_words
from esg_assets_tests.canaries import account_modes, code_modes
from esg_assets_tests.canaries.ground import Ground, prepared
from esg_assets_tests.canaries.mode import Mode
from esg_assets_tests.canaries.planted import KINDS, Canary
from esg_assets_tests.canaries.suite import MODES, Hit, drive, numbered, search
from esg_assets_tests.processes import seen_of

Write = Callable[[Ground, str], None]


@dg.op
def nothing() -> None:
    """Says nothing."""


@dg.job
def quiet() -> None:
    nothing()


def _event(ground: Ground, text: str) -> None:
    run = ground.house.instance.create_run_for_job(quiet)
    ground.house.instance.report_engine_event(text, run)
    ground.house.instance.report_run_canceled(run)


def _tag(ground: Ground, text: str) -> None:
    run = ground.house.instance.create_run_for_job(quiet)
    ground.house.instance.add_run_tags(run.run_id, {"who": text})
    ground.house.instance.report_run_canceled(run)


def _metadata(ground: Ground, text: str) -> None:
    made = dg.AssetMaterialization("leak", metadata={"text": dg.MetadataValue.md(text)})
    ground.house.instance.report_runless_asset_event(made)


def _compute_log(ground: Ground, text: str) -> None:
    @dg.op
    def talkative() -> None:
        print(text)  # noqa: T201  # the leak

    @dg.job
    def leaking() -> None:
        talkative()

    assert leaking.execute_in_process(instance=ground.house.instance).success


def _database(ground: Ground, text: str) -> None:
    engine = sa.create_engine(f"sqlite:///{ground.house.home / 'history.sqlite'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS leaks (text TEXT)")
        connection.exec_driver_sql("INSERT INTO leaks VALUES (?)", (text,))
    engine.dispose()


def _file(place: str, pack: Callable[[bytes], bytes] = bytes) -> Write:
    def write(ground: Ground, text: str) -> None:
        path = ground.written / place if place.startswith(("tmp", "cwd")) else ground.house.home / place
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(pack(text.encode()) + b"\n")

    return write


def _zip(ground: Ground, text: str) -> None:
    with zipfile.ZipFile(ground.written / "tmp" / "packed.zip", "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(f"part {len(packed.namelist())}", text * 3)


def _name(ground: Ground, text: str) -> None:
    (ground.written / "tmp" / quote(text, safe="")[:200]).touch()


def _log(ground: Ground, text: str) -> None:
    record = logging.LogRecord("x", logging.ERROR, "x.py", 1, text, (), None)
    for handler in logging.getLogger().handlers:
        handler.handle(record)


def _stream(number: int) -> Write:
    def write(ground: Ground, text: str) -> None:
        os.write(number, text.encode() + b"\n")

    return write


def _argument(ground: Ground, text: str) -> None:
    """A process with it on its command line, and in its environment, looked at while it runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", "input()", text],
        stdin=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "X": text},
    )
    ground.texts[f"cmdline {len(ground.texts)}"] = seen_of(process, "cmdline")
    ground.texts[f"environ {len(ground.texts)}"] = seen_of(process, "environ")
    process.communicate(b"\n")


WAYS: dict[str, Write] = {
    "an event of Dagster": _event,
    "a run's tag": _tag,
    "metadata of an asset": _metadata,
    "a compute log": _compute_log,
    "a row of the history database": _database,
    "an object of the work store": _file("work/parts/x"),
    "an object of the records store": _file("store/reports/x"),
    "a temporary file": _file("tmp/x"),
    "a name of a file": _name,
    "the working folder": _file("cwd/core.123"),
    "a gzip file": _file("tmp/x.gz", gzip.compress),
    "zlib amid other bytes": _file("tmp/x.bin", lambda data: b"\0\1\2" + zlib.compress(data)),
    "a zip file": _zip,
    "base64": _file("tmp/x.b64", base64.b64encode),
    "base64 at the second alignment": _file("tmp/x.b64", lambda data: base64.b64encode(b"x" + data)),
    "base64 at the third alignment": _file("tmp/x.b64", lambda data: base64.b64encode(b"xx" + data)),
    "hex": _file("tmp/x.hex", lambda data: data.hex().encode()),
    "percent-encoding": _file("tmp/x.url", lambda data: quote(data.decode(), safe="").encode()),
    "JSON in gzip in base64": _file(
        "tmp/x.json", lambda data: base64.b64encode(gzip.compress(ascii(data.decode()).encode()))
    ),
    "a log past the factory": _log,
    "standard output": _stream(1),
    "standard error": _stream(2),
    "process arguments and environment": _argument,
}


def test_each_kind_is_found_in_each_place(tmp_path: Path) -> None:
    planted = [(Mode(way, lambda ground, canary: None), Canary(900 + n)) for n, way in enumerate(WAYS)]
    with prepared(tmp_path) as ground:
        for way, canary in planted:
            for kind in KINDS:
                WAYS[way.name](ground, canary.kinds[kind][-1])
        found = {(hit.mode.name, hit.kind) for hit in search(ground, planted)}
    assert {(way, kind) for way in WAYS for kind in KINDS} - found == set()


def test_the_keys_that_runs_work_with_are_found_too(tmp_path: Path) -> None:
    with prepared(tmp_path) as ground:
        needles = ground.key_needles()
        assert len(needles) > 30, "the working key in four forms, the lines of two private keys"
        assert search(ground, []) == []
        for number, needle in enumerate(needles):
            (ground.written / "tmp" / f"{number}.txt").write_text(f"key={needle};", encoding="ascii")
        assert {hit.leak.needle for hit in search(ground, [])} == set(needles)


@contextlib.contextmanager
def without_protection() -> Iterator[None]:
    """The build as it would be if nobody had thought of it: exceptions are written as they are."""

    @contextlib.contextmanager
    def as_it_is(context: object) -> Iterator[None]:
        yield

    def plain(cls: type[SerializableErrorInfo], tb: traceback.TracebackException) -> SerializableErrorInfo:
        return cls(message="".join(tb.format()), stack=[], cls_name="leak")

    with pytest.MonkeyPatch.context() as patch:
        for module in (active_accounts, esg_ratings, encrypted_report_csv, daily_summary, io_managers):
            patch.setattr(module, "told_to", as_it_is)
        patch.setattr("esg_assets.definitions.keep_values_out_of_events", lambda: None)
        patch.setattr(SerializableErrorInfo, "from_traceback", classmethod(plain))
        patch.setattr(exception_words, "told", lambda error: "".join(traceback.format_exception(error)))
        patch.setattr(
            "esg_assets.adapters.logs.Words.message", lambda s, n, t, a, w: str(t) % a if a else str(t)
        )
        patch.setattr("esg_assets.adapters.logs.Words.redacted", lambda s, text: text)
        yield


def test_a_build_that_leaks_is_caught(tmp_path: Path) -> None:
    wanted = {
        "an exception of ratings_parts.append",
        "an exception of composition:account_source",
        "an exception of summary_metadata:summary_markdown",
        "a schedule's tick that breaks",
        "every logger there may be: exceptions, arguments, messages put together",
        "SQLAlchemy at DEBUG, which logs rows",
    }
    chosen = [mode for mode in MODES if mode.name in wanted]
    assert len(chosen) == len(wanted)
    with without_protection():
        hits = _unchecked(chosen, tmp_path)
    for mode in chosen:
        kinds = {hit.kind for hit in hits if hit.mode == mode}
        assert kinds >= ({"account id", "account name"} if "SQL" in mode.name else set(KINDS)), (
            mode.name,
            kinds,
        )
    places = " ".join(hit.leak.where for hit in hits)
    assert "table event_logs" in places
    assert "debug.log" in places
    assert "tick" in places


def _unchecked(modes: list[Mode], folder: Path) -> list[Hit]:
    """As `drive`; what a mode expects of a build that does not leak may fail here."""
    with prepared(folder) as ground:
        for mode, canary in numbered(modes):
            with contextlib.suppress(AssertionError):
                mode.drive(ground, canary)
        return search(ground, numbered(modes))


def test_the_same_modes_are_clean_with_protection(tmp_path: Path) -> None:
    few = [mode for mode in MODES if mode in (*account_modes.ROWS[:1], *code_modes.PORTS[:1])]
    assert not drive(few, tmp_path)
