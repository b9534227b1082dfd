"""Answers with a table of any length: one JSON object, a header only over rows, and an honest break."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence

import pytest

from esg_assets.cli.answers import Answer, Output, Stream

Row = tuple[Mapping[str, object], Sequence[str]]


def printed(rows: Iterator[Row], *, as_json: bool) -> str:
    out = io.StringIO()
    stream = Stream("changes", ("id", "why"), (4, 0), rows)
    Output(out, io.StringIO(), as_json=as_json).answer(Answer({"changed": 2}, ["Two."], stream=stream))
    return out.getvalue()


def rows(count: int) -> Iterator[Row]:
    for number in range(count):
        yield {"id": f"ä{number}"}, (f"ä{number}", "score")


@pytest.mark.parametrize("count", [0, 1, 3])
def test_json_is_one_object_however_many_rows(count: int) -> None:
    found = json.loads(printed(rows(count), as_json=True))
    assert found == {"changed": 2, "changes": [{"id": f"ä{number}"} for number in range(count)]}


def test_people_see_a_header_over_rows_and_none_over_nothing() -> None:
    assert printed(rows(2), as_json=False) == "Two.\nid    why\nä0    score\nä1    score\n"
    assert printed(rows(0), as_json=False) == "Two.\n"


def test_rows_are_printed_as_they_come() -> None:
    out = io.StringIO()

    def watched() -> Iterator[Row]:
        yield from rows(1)
        assert "ä0" in out.getvalue(), "the row before was kept back"
        yield from rows(1)

    stream = Stream("changes", ("id", "why"), (4, 0), watched())
    Output(out, io.StringIO(), as_json=False).answer(Answer({}, [], stream=stream))


def test_what_breaks_off_in_an_object_is_told_beside_it() -> None:
    out, err = io.StringIO(), io.StringIO()
    output = Output(out, err, as_json=True)

    def breaking() -> Iterator[Row]:
        yield from rows(1)
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - it has no text
        output.answer(Answer({"changed": 2}, stream=Stream("changes", ("id", "why"), (4, 0), breaking())))
    output.error("It broke off.", "Broken")

    assert err.getvalue() == "It broke off.\n"
    with pytest.raises(json.JSONDecodeError):
        json.loads(out.getvalue())
