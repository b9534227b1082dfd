"""What is told of an exception: type and place, our own texts, and nothing of anybody else's."""

import dagster as dg
import pytest
from dagster._utils.error import serializable_error_info_from_exc_info

from esg_assets.core import exception_words
from esg_assets.core.errors import StoreUnavailable
from esg_assets.event_errors import keep_values_out_of_events

CANARY = "QZK-000317"


def raised(error: BaseException) -> BaseException:
    try:
        raise error  # noqa: TRY301  # a traceback is wanted
    except BaseException as caught:  # noqa: BLE001  # whatever it is
        return caught


def chained() -> BaseException:
    """A cause, a context, notes, arguments and locals, each with the canary."""
    local = CANARY
    try:
        try:
            raise KeyError(local)  # noqa: TRY301
        except KeyError as error:
            error.add_note(f"row of {CANARY}")
            raise ValueError(f"cannot read {CANARY}", CANARY)  # noqa: B904  # a context and no cause
    except ValueError as error:
        error.add_note(CANARY)
        try:
            raise RuntimeError(CANARY) from error  # noqa: TRY301  # likewise
        except RuntimeError as last:
            return last


def test_an_error_of_ours_is_told_in_its_own_words() -> None:
    told = exception_words.told(raised(StoreUnavailable("the disk is full; make room")))
    assert told.endswith("StoreUnavailable: the disk is full; make room")
    assert "  esg_assets_tests/unit/test_exception_words.py:" in told
    assert " in raised" in told


def test_of_another_error_only_types_and_places_are_told_through_causes_contexts_and_notes() -> None:
    told = exception_words.told(chained())
    assert CANARY not in told
    for kind in ("RuntimeError", "ValueError", "KeyError"):
        assert f"{kind} (text withheld" in told
    assert "caused by:" in told
    assert "while handling:" in told


def test_every_error_of_a_group_is_told_and_the_group_s_text_is_not() -> None:
    group = ExceptionGroup(CANARY, [ValueError(CANARY), StoreUnavailable("no room")])
    told = exception_words.told(raised(group))
    assert CANARY not in told
    assert "error 2 of 2 in this group:\nStoreUnavailable: no room" in told


def test_a_chain_that_is_a_circle_ends() -> None:
    error = raised(ValueError(CANARY))
    error.__cause__ = other = raised(KeyError(CANARY))
    other.__cause__ = error
    assert exception_words.told(error).count("text withheld") == 2


def test_no_place_says_where_this_machine_keeps_its_files() -> None:
    place = exception_words.place
    assert place("/srv/app/esg_assets/core/report.py", 7, "render") == "esg_assets/core/report.py:7 in render"
    assert place("/v/lib/site-packages/urllib3/util.py", 7, "f") == "urllib3/util.py:7 in f"
    assert place("/home/somebody/notebook.py", 7, "f") == "notebook.py:7 in f"


class TestEventsOfDagster:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        keep_values_out_of_events()

    def test_an_error_in_an_event_has_no_text_through_causes_contexts_and_notes(self) -> None:
        error = chained()
        info = serializable_error_info_from_exc_info((type(error), error, error.__traceback__))  # type: ignore[arg-type]  # it has one
        assert CANARY not in info.to_string()
        assert info.message == f"builtins.RuntimeError {exception_words.WITHHELD}\n"
        assert info.cls_name == "RuntimeError"
        assert info.cause is not None
        assert info.cause.context is not None
        assert info.cause.context.cls_name == "KeyError"

    def test_our_errors_and_failures_keep_their_words(self) -> None:
        for error in (StoreUnavailable("make room"), dg.Failure("make room")):
            caught = raised(error)
            info = serializable_error_info_from_exc_info((type(caught), caught, caught.__traceback__))  # type: ignore[arg-type]  # likewise
            assert info.message.endswith("make room\n")
