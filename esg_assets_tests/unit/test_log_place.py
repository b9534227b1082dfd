"""Which stream log lines go to, and for whom."""

import io
import sys

import pytest

from esg_assets.log_place import Place, of_command


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def place(command: str, out: io.StringIO, err: io.StringIO, *, as_json: bool = False) -> Place:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        return of_command([*command.split(), "--date", "2026-01-15"], as_json=as_json)


@pytest.mark.parametrize("command", ["run", "backfill", "--traceback run"])
def test_of_a_run_that_nobody_watches_lines_are_json_on_standard_output(command: str) -> None:
    assert place(command, io.StringIO(), io.StringIO()) == Place("json", "stdout")


def test_an_answer_in_json_has_standard_output_for_itself() -> None:
    assert place("run", io.StringIO(), io.StringIO(), as_json=True) == Place("json", "stderr")


@pytest.mark.parametrize("command", ["report list", "alerts flush", "doctor", ""])
def test_other_commands_keep_standard_output_for_their_answers(command: str) -> None:
    assert place(command, io.StringIO(), io.StringIO()) == Place("json", "stderr")


@pytest.mark.parametrize("streams", [(Terminal(), io.StringIO()), (io.StringIO(), Terminal())])
def test_whoever_watches_a_terminal_reads_words(streams: tuple[io.StringIO, io.StringIO]) -> None:
    assert place("run", *streams).for_people


def test_a_demo_is_for_people_also_in_a_pipe() -> None:
    assert place("demo", io.StringIO(), io.StringIO()).for_people


def test_a_process_of_dagster_s_writes_json_unless_its_output_is_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert Place().for_people
    assert not Place("json").for_people
    monkeypatch.setattr(sys, "stdout", None)
    assert not Place().for_people
