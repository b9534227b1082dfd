"""Amounts as plain decimal texts."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.amounts import LONGEST_AMOUNT, NotAnAmount, amount_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("52.50", "52.50"),
        ("007", "007"),
        (" 12.5 ", "12.5"),
        ("1e5", "100000"),
        (".5", "0.5"),
        ("5.", "5"),
        ("+3", "3"),
        ("-0", "0"),
        (0, "0"),
        (10**40, "1" + "0" * 40),
        (5.0, "5.0"),
        (-0.0, "0.0"),
        (198985.67, "198985.67"),
        (1e16, "10000000000000000"),
        (1e-7, "0.0000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("12345678901234567890.12345678"), "12345678901234567890.12345678"),
        (Decimal("52.50"), "52.50"),
    ],
)
def test_an_amount_is_written_out_exactly(value: object, text: str) -> None:
    assert amount_text(value) == text


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("-1", "is negative"),
        (-0.01, "is negative"),
        (Decimal("-1E-9"), "is negative"),
        (float("nan"), "is not a finite number"),
        (float("inf"), "is not a finite number"),
        (Decimal("NaN"), "is not a finite number"),
        (Decimal("-Infinity"), "is not a finite number"),
        ("NaN", "is not a number"),
        ("1,234.56", "is not a number"),
        ("1_000", "is not a number"),
        ("١٢", "is not a number"),
        ("12 USD", "is not a number"),
        ("0x1F", "is not a number"),
        (True, "is not a number"),
        (["1"], "is not a number"),
        (b"1", "is not a number"),
        ("9" * 65, "has more than 64 digits"),
        ("1e99999", "has more than 64 digits"),
        ("1e-99999", "has more than 64 digits"),
        (10**4000, "has more than 64 digits"),
        (Decimal("1E+999999"), "has more than 64 digits"),
        (1e300, "has more than 64 digits"),
    ],
)
def test_what_is_no_amount_is_refused_without_its_value(value: object, reason: str) -> None:
    with pytest.raises(NotAnAmount) as refusal:
        amount_text(value)
    assert str(refusal.value) == reason


@given(
    st.decimals(min_value=0, max_value=10**30, places=8)
    | st.floats(min_value=1e-30, max_value=1e30)
    | st.integers(min_value=0, max_value=10**60)
)
def test_the_text_is_the_number_itself(value: object) -> None:
    text = amount_text(value)
    assert set(text) <= set("0123456789.")
    assert len(text) <= LONGEST_AMOUNT
    if isinstance(value, float):
        assert float(text) == value
    else:
        assert Decimal(text) == value
    assert amount_text(text) == text
