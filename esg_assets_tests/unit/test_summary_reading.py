"""A summary read again: all of it but the failed accounts, however it is cut into pieces."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.errors import Tampered
from esg_assets.core.ratings import Reason
from esg_assets.core.summary import FailedAccount, summary_chunks
from esg_assets.core.summary_reading import methodology_versions, without_accounts

DOCUMENT: dict[str, object] = {
    "note": 'says "failed_accounts": [ and é',
    "figures": {"methodology_versions": {"2.0": 3, "": 1}},
}


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@given(st.integers(1, 400), st.integers(0, 30))
def test_everything_but_the_accounts_is_read(size: int, count: int) -> None:
    failed = [FailedAccount(f"A{number}", Reason.TIMEOUT, 5, None) for number in range(count)]
    data = b"".join(summary_chunks(DOCUMENT, failed))
    taken = list(pieces(data, size))
    left = iter(taken)

    assert without_accounts(left) == DOCUMENT
    assert next(left, None) is None, "read to its end"


def test_versions_of_the_methodology_are_those_of_the_figures() -> None:
    assert methodology_versions(DOCUMENT) == {"2.0": 3, "": 1}
    assert methodology_versions({"figures": {}}) == {}, "of a report from before they were counted"


@pytest.mark.parametrize("data", [b"", b"{}", b'{"a": 1}\n', b'[\n  1,\n  "failed_accounts": [\n]'])
def test_what_is_no_summary_is_refused(data: bytes) -> None:
    with pytest.raises(Tampered, match="none of ours"):
        without_accounts([data])
