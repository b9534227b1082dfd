"""Links to further pages, from a provider that wants our token sent somewhere else: over real connections."""

import json
from socket import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyreqwest.exceptions import PyreqwestError
from pyreqwest.http import Url

from esg_assets.adapters.authorization import Bearer
from esg_assets.adapters.esg_api.json_paths import JsonPath
from esg_assets.adapters.esg_api.request_shape import Outgoing, Paging, RequestShape
from esg_assets.core.ratings import Fault
from esg_assets_tests.adapters.esg_api_calls import AS_OF, client
from esg_assets_tests.raw_server import RawServer, answer, raw_server, sends

SHAPE = RequestShape(
    "/v1/ratings",
    query={"id": "{account_ids}"},
    ids="query",
    ids_per_call=2,
    paging=Paging(JsonPath("next"), 3),
)
ELSEWHERE = [
    "{other}/v1/ratings?page=2",
    "//{host}/v1/ratings",
    "http://{here}@{host}/v1/ratings",
    "http://user:password@{here}/v1/ratings",
    "http://{here}:80@{host}/",
    "http://{here}\\@{host}/",
    "\\\\{host}\\v1",
    "/\\{host}/v1",
    "http:\\\\{host}\\v1",
    "http://{here}.{host}/",
    "https://{here}/v1/ratings",
    "http://localhost:{port}/v1/ratings",
    "http://127.1:{port}/v1/ratings",
    "http://0/v1/ratings",
    "file:///etc/passwd",
    "ht\ttp://{host}/",
    " //{host}/",
    "/\t/{host}/",
    "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:{port}/",
]


def paged(link: object, more: str = '{"ratings": []}') -> tuple[RawServer, object]:
    """Ask a provider whose first page has `link`; the provider, and the reply."""
    with raw_server(sends(answer())) as other:
        host = f"127.0.0.1:{other.port}"

        def talk(connection: socket, request: bytes) -> None:
            if len(server.requests) > 1:
                connection.sendall(answer(200, more.encode()))
                return
            here = f"127.0.0.1:{server.port}"
            parts = {"other": other.url, "host": host, "here": here, "port": other.port}
            text = link.format(**parts) if isinstance(link, str) else link
            connection.sendall(answer(200, json.dumps({"next": text}).encode()))

        with raw_server(talk) as server, client(server.url, Bearer("tok-1"), shape=SHAPE) as api:
            reply = api.ask_many(("A", "B"), AS_OF, lambda: None)
        assert other.connections == 0
    return server, reply


@pytest.mark.parametrize("link", ELSEWHERE)
def test_a_link_elsewhere_takes_our_token_nowhere(link: str) -> None:
    server, reply = paged(link)

    assert len(server.requests) == 1
    assert reply.fault is Fault.BAD_RESPONSE  # type: ignore[attr-defined]  # a Reply


@pytest.mark.parametrize(
    ("link", "asked"),
    [
        ("?page=2", b"GET /v1/ratings?page=2 "),
        ("/v2/x?cursor=1", b"GET /v2/x?cursor=1 "),
        ("http://{here}/v1/ratings?page=2", b"GET /v1/ratings?page=2 "),
        ("/.//{host}/v1", b"GET //127.0.0.1:"),  # a path that looks like a host stays a path
        ("/../../v3", b"GET /v3 "),
        ("http://{here}#@{host}/", b"GET / "),
    ],
)
def test_a_link_of_the_same_origin_is_followed(link: str, asked: bytes) -> None:
    server, _ = paged(link)

    assert len(server.requests) == 2
    assert server.requests[1].startswith(asked)
    assert b"Bearer tok-1" in server.requests[1]


ODD = st.text("abc.:/?#[]@!$&'()*+,;=%\\ \t0123456789\uff0e\u3002é", max_size=25)
LINKS = st.one_of(
    ODD,
    st.builds(
        "{}{}".format,
        st.sampled_from(["//", "/\\", "https://", "https:", "HTTPS://", "/.//", "http://"]),
        ODD,
    ),
    st.builds("https://api.example.com{}".format, ODD),
    st.builds("https://{}@api.example.com/{}".format, ODD, ODD),
)


@given(LINKS)
@settings(max_examples=1500, deadline=None)
def test_the_client_reads_every_link_that_is_followed_as_one_to_the_same_origin(link: str) -> None:
    before = Outgoing("GET", "https://api.example.com/v1/ratings?id=A")

    following = SHAPE.page(before, link, ("A",), AS_OF, 1)

    if following is not None:
        assert urlsplit(following.url).netloc == "api.example.com"
        try:
            url = Url(following.url)
        except (PyreqwestError, ValueError):
            return  # the client refuses it: nothing is sent
        assert (url.scheme, url.host_str, url.port_or_known_default) == ("https", "api.example.com", 443)
        assert (url.username, url.password) == ("", None)
