"""Canonical JSON: one value, one text, and nothing else is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core import canonical_json

names = st.text(st.characters(max_codepoint=126, exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_a_value_comes_back_and_its_text_is_one_line(value: object) -> None:
    data = canonical_json.dumps(value)
    assert canonical_json.loads(data) == value
    assert b"\n" not in data


@pytest.mark.parametrize(
    "value",
    [1.5, float("nan"), 2**53, {"é": 1}, {1: 2}, "\ud800", b"bytes", {"a": {"b": [0.1]}}],
)
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical_json.dumps(value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":01}',
        b'"\\u0041"',
        b'"\\ud800"',
        b"NaN",
        b"\xff",
        b"",
        b"[" * 100_000,
        b"9" * 5_000,
    ],
)
def test_any_other_way_to_write_a_value_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical_json.loads(data)
