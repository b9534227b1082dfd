"""What people may type into the chain: short, printable, and no account's id."""

import pytest

from esg_assets.core import reasons

IDS = ["ACC-0000001", "Ł-77 x", "12", "1234"]


@pytest.mark.parametrize("text", ["", "the provider corrected its scores", "Größe; 100 %", "x" * 500])
def test_a_short_line_is_fine(text: str) -> None:
    assert reasons.problem(text) == ""


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x" * 501, "501 characters"),
        ("a\nb", "line break"),
        ("a\tb", "not printed"),
        ("a\u202eb", "not printed"),
    ],
)
def test_what_is_long_or_not_printed_is_refused_without_being_repeated(text: str, what: str) -> None:
    assert what in reasons.problem(text)
    assert text not in reasons.problem(text)


@pytest.mark.parametrize(
    "text",
    [
        "ACC-0000001",
        "score of ACC-0000001.",
        "(ACC-0000001)",
        "xACC-00000010 ACC-0000001",
        "of Ł-77 x",
        "1234",
    ],
)
def test_an_account_that_is_named_is_found(text: str) -> None:
    assert reasons.names_account(text, IDS)


@pytest.mark.parametrize(
    "text", ["", "ACC-00000012", "12 accounts", "ACC", "acc-0000001 in other words", "91234"]
)
def test_what_only_looks_like_an_account_is_not(text: str) -> None:
    assert not reasons.names_account(text, IDS)
