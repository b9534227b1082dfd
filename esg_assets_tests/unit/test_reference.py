"""The README's tables say what the code does."""

from pathlib import Path

import pytest

from esg_assets.cli.reference import commands, commands_table, main, put_tables, settings_table

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_has_exactly_the_tables_of_the_code() -> None:
    text = README.read_text(encoding="utf-8")

    assert put_tables(text) == text, "python -m esg_assets.cli.reference --write README.md"


def test_a_table_has_one_row_for_each_and_three_cells_in_each_row() -> None:
    for line in settings_table().splitlines():
        assert line.replace("\\|", "").count("|") == 4
    for line in commands_table().splitlines():
        assert line.replace("\\|", "").count("|") == 3
    assert len(commands_table().splitlines()) == 2 + len(list(commands()))


def test_old_tables_are_replaced_and_the_prose_is_kept() -> None:
    settings = "<!-- settings:begin -->\nan old table\n<!-- settings:end -->"
    text = f"a\n{settings}\nb\n<!-- commands:begin -->\n<!-- commands:end -->\nc\n"

    put = put_tables(text)

    assert "an old table" not in put
    assert put.startswith("a\n<!-- settings:begin -->\n| setting |")
    assert put.endswith("<!-- commands:end -->\nc\n")
    assert put_tables(put) == put


def test_a_missing_marker_is_told() -> None:
    with pytest.raises(ValueError, match="no <!-- commands:begin -->"):
        put_tables("<!-- settings:begin --><!-- settings:end -->")


def test_the_tables_are_written_where_they_are_wanted(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(README.read_text(encoding="utf-8").replace("ESG_MIN_CELL", "ESG_OLD"), encoding="utf-8")

    assert main(["--write", str(file)]) == 0

    assert "| ESG_MIN_CELL |" in file.read_text(encoding="utf-8")
