"""Log lines: the same fields every time, JSON, and nothing in them that should not be."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from esg_assets.adapters.log_lines import LONGEST, LineMaker
from esg_assets.adapters.logs import RecordFactory, Words
from esg_assets.core.pseudonyms import LENGTH, Pseudonyms
from esg_assets.core.telling import Account, fields

SECRET = "s3cret-of-a-setting"
ACCOUNT = "QZK-000317"
KEY = "a key for pseudonyms"


class Lines(logging.Handler):
    """Keeps every record's line as a program would read it."""

    def __init__(self, maker: LineMaker) -> None:
        super().__init__()
        self.maker = maker
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(self.maker.json(self.maker.line(record)))

    @property
    def last(self) -> dict[str, object]:
        (text,) = self.texts[-1].splitlines()
        found = json.loads(text)
        assert isinstance(found, dict)
        return found


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler = Lines(LineMaker(lambda: [SECRET], "test", Pseudonyms(KEY)))
    before, root = logging.getLogRecordFactory(), logging.getLogger()
    level = root.level
    logging.setLogRecordFactory(RecordFactory(Words(lambda: [SECRET]), before))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)
    logging.setLogRecordFactory(before)


def test_a_line_says_when_how_bad_what_and_where(lines: Lines) -> None:
    logging.getLogger("esg_assets.x").warning("%d of %d failed", 3, 10, extra=fields("failed", failed=3))
    line = lines.last
    assert list(line)[:5] == ["timestamp", "level", "event", "message", "environment"]
    assert str(line.pop("timestamp")).endswith("+00:00")
    assert line == {
        "level": "warning",
        "event": "failed",
        "message": "3 of 10 failed",
        "environment": "test",
        "failed": 3,
        "logger": "esg_assets.x",
    }


def test_without_a_fixed_event_the_template_is_one(lines: Lines) -> None:
    logging.getLogger("esg_assets.x").info("asking for %d", 3)
    assert (lines.last["event"], lines.last["message"]) == ("asking for %d", "asking for 3")
    logging.getLogger("esg_assets.x").info("done")
    assert lines.last["event"] == "done"
    assert "message" not in lines.last


def test_a_line_is_one_line_whatever_the_message(lines: Lines) -> None:
    # Past the loggers: pytest keeps what they log, and cannot send half a character between processes.
    make = logging.getLogRecordFactory()
    lines.emit(
        make("esg_assets.x", logging.INFO, __file__, 1, "one\ntwo\u2028three \ud800 \x1b[31m", (), None)
    )
    assert lines.last["event"] == "one\ntwo\u2028three \ud800 \x1b[31m"
    assert "\x1b" not in lines.texts[-1]


def test_an_account_is_its_keyed_pseudonym(lines: Lines) -> None:
    log = logging.getLogger("esg_assets.x")
    log.info("an account failed", extra=fields("account failed", account=Account(ACCOUNT)))
    name = str(lines.last["account"])
    assert len(name) == LENGTH == 16
    assert name == Pseudonyms(KEY).of(Account(ACCOUNT)) != Pseudonyms("another").of(Account(ACCOUNT))
    assert name != Pseudonyms(KEY).of(Account(f"{ACCOUNT}x"))
    assert ACCOUNT not in lines.texts[-1]


def test_without_a_key_there_is_no_reference_to_an_account() -> None:
    record = logging.makeLogRecord(
        {"name": "esg_assets.x", "msg": "m", **fields("e", account=Account(ACCOUNT), n=1)}
    )
    line = LineMaker(tuple).line(record)
    assert "account" not in line
    assert line["n"] == 1


def test_an_account_shows_itself_to_nobody_else() -> None:
    account = Account(ACCOUNT)
    assert ACCOUNT not in f"{account} {account!r} {vars(type(account))}"
    assert f"{account}" == "<account>"
    with pytest.raises(TypeError):
        account.__reduce__()


def test_secrets_are_masked_in_every_field_also_within_others(lines: Lines) -> None:
    extra = {"url": f"https://u:{SECRET}@h/", "many": [SECRET, {"deep": SECRET, SECRET: 1}], "flag": True}
    logging.getLogger("esg_assets.x").info("with %s", SECRET, extra=extra)
    assert SECRET not in lines.texts[-1]
    assert lines.last["many"] == ["********", {"deep": "********", "********": 1}]
    assert lines.last["flag"] is True


def test_objects_in_fields_are_only_types(lines: Lines) -> None:
    class Row:
        def __repr__(self) -> str:
            return ACCOUNT

    logging.getLogger("esg_assets.x").info("m", extra={"row": Row(), "raw": ACCOUNT.encode()})
    assert (lines.last["row"], lines.last["raw"]) == ("<Row>", "<bytes>")


def test_of_a_library_no_field_is_told_and_no_argument(lines: Lines) -> None:
    logging.getLogger("urllib3.x").warning("got %s", ACCOUNT, extra={"row": ACCOUNT})
    assert (lines.last["event"], "row" in lines.last) == ("got <str>", False)
    assert ACCOUNT not in lines.texts[-1]


def test_a_record_that_came_round_the_factory_is_as_clean() -> None:
    record = logging.LogRecord("urllib3.x", logging.INFO, "/x/f.py", 1, "got %s", (ACCOUNT,), None)
    record.exc_info = (ValueError, ValueError(ACCOUNT), None)
    line = LineMaker(tuple).line(record)
    assert line["event"] == "got <str>"
    assert ACCOUNT not in str(line)
    assert "ValueError (text withheld" in line["exception"]


def test_an_exception_is_told_by_type_and_place(lines: Lines) -> None:
    try:
        dict[str, int]()[ACCOUNT]
    except KeyError:
        logging.getLogger("esg_assets.x").exception("failed")
    assert lines.last["error"] == "KeyError"
    assert "test_log_lines.py:" in str(lines.last["exception"])
    assert ACCOUNT not in lines.texts[-1]


def test_a_field_has_an_end(lines: Lines) -> None:
    logging.getLogger("esg_assets.x").info("x" * 100_000)
    assert len(str(lines.last["event"])) == LONGEST + 1


def test_what_is_known_from_elsewhere_counts_before_the_record(lines: Lines) -> None:
    record = logging.makeLogRecord(
        {"name": "dagster", "msg": "job - run - sentence", **fields("fixed", run_id="x")}
    )
    line = lines.maker.line(record, {"run_id": "r1", "message": "sentence"})
    assert (line["event"], line["message"], line["run_id"]) == ("fixed", "sentence", "r1")
    line = lines.maker.line(record, {"event": "run started"})
    assert line["event"] == "run started"
    assert "message" not in line


def test_what_was_bound_to_the_context_is_in_every_line(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(delivery="d1", token=f"Bearer {SECRET}"):
        logging.getLogger("esg_assets.x").info("m")
    assert lines.last["delivery"] == "d1"
    assert SECRET not in lines.texts[-1]
