"""What adapters raise holds no URL, no parameter of a query and no answer's text, nor do its causes."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from esg_assets.adapters.account_sources.http import HttpAccountSource
from esg_assets.adapters.account_sources.page_request import Transport, World
from esg_assets.adapters.account_sources.sql import SqlAccountSource
from esg_assets.adapters.authorization import Bearer, NoAuthorization, TokenEndpoint
from esg_assets.adapters.database.history import SqlHistory
from esg_assets.core.errors import EsgError
from esg_assets_tests.leak_search import find_leaks
from esg_assets_tests.raw_server import answer, raw_server, sends

PASSWORD, TOKEN, ACCOUNT = "pass-4711-word", "tok3n-of-the-run", "QZK-000317"
NEEDLES = [PASSWORD, TOKEN, ACCOUNT, "127.0.0.1", "SELECT"]
BODY = f'{{"error": "{ACCOUNT} {TOKEN} {PASSWORD} at 127.0.0.1"}}'.encode()
AS_OF = date(2026, 1, 14)
AT_ONCE = World(sleep=lambda _: None)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it was caused by, as whoever prints a traceback follows it."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def raised(call: Callable[[], object]) -> dict[str, str | bytes]:
    """Everything that an error of ours and its causes hold as text."""
    with pytest.raises(EsgError) as caught:
        call()
    found: dict[str, str | bytes] = {}
    for number, error in enumerate(chain(caught.value)):
        notes = getattr(error, "__notes__", [])
        found[f"{type(error).__name__} {number}"] = f"{error} {error!r} {error.args} {vars(error)} {notes}"
    return found


def nothing_in(call: Callable[[], object]) -> None:
    leaks = find_leaks(NEEDLES, texts=raised(call))
    assert not leaks, leaks


def database(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'accounts.sqlite'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE t AS SELECT '{ACCOUNT}' AS account_id")
    engine.dispose()
    return url


REFUSED = f"postgresql+psycopg://esg:{PASSWORD}@127.0.0.1:9/accounts"


def test_a_database_that_refuses() -> None:
    nothing_in(lambda: list(SqlAccountSource(REFUSED).read(None)))
    nothing_in(lambda: SqlHistory(REFUSED).head())


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT '{ACCOUNT}' FROM nowhere",
        f"SELECT account_id, account_id FROM t WHERE account_id = '{ACCOUNT}'",
        f"SELECT * FROM t WHERE account_id = :who OR '{ACCOUNT}' = :as_of",
        f"'{ACCOUNT}",
    ],
    ids=["unknown table", "a column twice", "unknown parameter", "no SQL"],
)
def test_a_query_that_is_wrong(query: str, tmp_path: Path) -> None:
    url = database(tmp_path)
    nothing_in(lambda: list(SqlAccountSource(url, query).read(AS_OF if ":as_of" in query else None)))


@pytest.mark.parametrize("opened", [SqlAccountSource, SqlHistory])
@pytest.mark.parametrize(
    "url", [f"nosuch://esg:{PASSWORD}@127.0.0.1/x", f"postgresql://esg:{PASSWORD}@127.0.0.1:none/x"]
)
def test_a_url_that_cannot_be_read(opened: Callable[[str], object], url: str) -> None:
    nothing_in(lambda: opened(url))


@pytest.mark.parametrize(
    "sent",
    [
        answer(400, BODY),
        answer(403, BODY),
        answer(200, BODY),
        answer(200, BODY[:-4]),
        answer(302, location=f"https://esg:{PASSWORD}@127.0.0.1/{TOKEN}"),
        b"HTTP/1.1 " + BODY + b"\r\n\r\n",
    ],
    ids=["400", "403", "another shape", "no JSON", "redirect", "no HTTP"],
)
def test_an_account_system_over_http(sent: bytes) -> None:
    with raw_server(sends(sent)) as server:
        source = HttpAccountSource(server.url, Bearer(TOKEN), world=AT_ONCE)
        nothing_in(lambda: list(source.read(AS_OF)))


def test_a_proxy_that_does_not_answer() -> None:
    proxy = f"http://esg:{PASSWORD}@127.0.0.1:9"
    source = HttpAccountSource("http://127.0.0.1:9", NoAuthorization(), Transport(proxy=proxy), world=AT_ONCE)
    nothing_in(lambda: list(source.read(AS_OF)))


@pytest.mark.parametrize("sent", [answer(400, BODY), answer(401, BODY), answer(200, BODY)])
def test_a_token_endpoint(sent: bytes) -> None:
    with raw_server(sends(sent)) as server:
        endpoint = TokenEndpoint(server.url, "nightly", PASSWORD, sleep=lambda _: None)
        nothing_in(endpoint.fetch)
