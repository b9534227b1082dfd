"""Log records and uncaught exceptions of a process in which `logs.install` was called."""

import io
import logging
import subprocess
import sys
import textwrap
from collections.abc import Iterator

import pytest

from esg_assets.adapters.logs import LineFormatter, RecordFactory, Words

SECRET = "s3cret-of-a-setting"
ACCOUNT = "QZK-000317"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What any handler with logging's own formatter writes, at every level, of every logger."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    before = logging.getLogRecordFactory()
    root = logging.getLogger()
    level = root.level
    logging.setLogRecordFactory(RecordFactory(Words(lambda: [SECRET]), before))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.setLevel(level)
    root.removeHandler(handler)
    logging.setLogRecordFactory(before)


def test_our_own_lines_stand_less_secrets(written: io.StringIO) -> None:
    logging.getLogger("esg_assets.x").info("asking %d of %s with %s", 3, {"n": 1}, SECRET)
    assert written.getvalue() == "esg_assets.x asking 3 of {'n': 1} with ********\n"


def test_a_library_s_line_is_its_template_and_the_types_of_its_arguments(written: io.StringIO) -> None:
    logger = logging.getLogger("urllib3.connectionpool")
    logger.debug('%s://%s:%d "%s %-5.2f%%"', "https", "host", 443, f"/v1/{ACCOUNT}", 73.918273)
    logger.debug("%(who)s has %(n)d", {"who": ACCOUNT, "n": 1})
    assert written.getvalue().splitlines() == [
        'urllib3.connectionpool <str>://<str>:<int> "<str> <float>%"',
        "urllib3.connectionpool <str> has <int>",
    ]


class _Fields(dict[str, str]):
    """Header fields as some libraries have them: only texts may be asked for."""

    def get(self, key: object, default: object = None) -> object:  # type: ignore[override]  # as they do
        raise AttributeError(f"no {key} among {ACCOUNT}")


def test_arguments_that_cannot_be_shown_disturb_nobody(written: io.StringIO) -> None:
    logging.getLogger("botocore").debug("fields %s", _Fields(a=ACCOUNT))
    logging.getLogger("botocore").debug("fields %(a)s", _Fields(a=ACCOUNT))
    assert written.getvalue().splitlines()[0] == "botocore fields <_Fields>"
    assert "does not fit its arguments" in written.getvalue().splitlines()[1]
    assert ACCOUNT not in written.getvalue()


def test_a_library_s_line_that_was_put_together_before_is_only_a_place(written: io.StringIO) -> None:
    logging.getLogger("some.library").warning(f"row of {ACCOUNT}")  # noqa: G004  # as libraries do
    logging.getLogger().error(ACCOUNT)
    told = written.getvalue()
    assert ACCOUNT not in told
    assert told.count("(message withheld, at esg_assets_tests/adapters/test_logs.py:") == 2


@pytest.mark.parametrize("logger", ["esg_assets.x", "dagster.x", "sqlalchemy.engine", "root"])
def test_an_exception_is_told_by_type_and_place_whoever_logs_it(logger: str, written: io.StringIO) -> None:
    try:
        try:
            raise KeyError(ACCOUNT)  # noqa: TRY301
        except KeyError as error:
            error.add_note(SECRET)
            raise ValueError(f"{ACCOUNT} {SECRET}") from error
    except ValueError:
        logging.getLogger(logger).exception("failed")
    told = written.getvalue()
    assert "ValueError (text withheld" in told
    assert "caused by:" in told
    assert not {ACCOUNT, SECRET} & set(told.replace("'", " ").split())


def test_a_record_has_no_exception_left_for_a_formatter_of_its_own() -> None:
    factory = RecordFactory(Words(tuple), logging.LogRecord)
    error = ValueError(ACCOUNT)
    for given in (error, (ValueError, error, None)):
        record = factory("esg_assets", logging.ERROR, "f.py", 1, "failed", (), given)
        assert record.exc_info is None
        assert ACCOUNT not in str(record.__dict__)


def test_a_line_that_does_not_fit_its_arguments_says_so(written: io.StringIO) -> None:
    logging.getLogger("esg_assets").info("%d accounts", ACCOUNT)
    assert "does not fit its arguments" in written.getvalue()
    assert ACCOUNT not in written.getvalue()


def test_our_formatter_redacts_what_came_past_the_factory() -> None:
    record = logging.LogRecord("x", logging.INFO, "f.py", 1, f"with {SECRET}", (), None)
    record.exc_info = (ValueError, ValueError(ACCOUNT), None)
    told = LineFormatter("%(message)s", lambda: [SECRET]).format(record)
    assert told.startswith("with ********\n")
    assert ACCOUNT not in told


def test_uncaught_exceptions_are_told_without_their_texts() -> None:
    program = f"""
        import sys, threading
        from esg_assets.adapters import logs
        logs.install(lambda: ["{SECRET}"])

        def fail(*_):
            raise ValueError("{ACCOUNT} {SECRET}")

        class Dropped:
            __del__ = fail

        thread = threading.Thread(target=fail)
        thread.start(); thread.join()
        Dropped()
        fail()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.count("ValueError (text withheld") == 3
    assert "In thread Thread-1" in done.stderr
    assert ACCOUNT not in done.stderr
    assert SECRET not in done.stderr
