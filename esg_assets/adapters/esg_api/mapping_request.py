"""The part `request` of ESG_API_MAPPING: read strictly, with each placeholder where it can be filled.

An example with every key stands in `mapping`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import cast

from esg_assets.adapters.esg_api.mapping_nodes import Node
from esg_assets.adapters.esg_api.request_shape import AS_OF, ID, IDS, OFFSET, Ids, Paging, RequestShape

MOST_IDS, MOST_PAGES, MOST_OF_A_PAGE = 1000, 100, 100_000

_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@{}-]*)+")
_NAME = re.compile(r"[A-Za-z0-9._~$\[\]-]+")
_OF_OAUTH = frozenset({"grant_type", "client_id", "client_secret", "username", "password", "refresh_token"})


def read_request(node: Node) -> tuple[RequestShape, Mapping[str, str]]:
    """How the provider is asked, and the further parameters of the token request.

    Raises:
        SettingsWrong: see `mapping.parse_provider_mapping`.
    """
    keys = node.keys("path ids", "method query body ids_per_call pages token")
    method = keys["method"].choice("GET", "POST") if "method" in keys else "GET"
    ids = cast("Ids", keys["ids"].choice("path", "query", "comma", "json"))
    paging = _paging(keys["pages"]) if "pages" in keys else None
    shape = RequestShape(
        path=_path(keys["path"], ids),
        method="POST" if method == "POST" else "GET",
        query=_query(keys["query"]) if "query" in keys else {},
        body=keys["body"].value if "body" in keys else None,
        ids=ids,
        ids_per_call=keys["ids_per_call"].whole(1, MOST_IDS) if "ids_per_call" in keys else 1,
        paging=paging,
    )
    _ids_are_put_once(node, shape)
    if "body" in keys and method == "GET":
        raise keys["body"].wrong("method: POST, since a GET has no body")
    if ids == "path" and shape.ids_per_call > 1:
        raise keys["ids_per_call"].wrong("1, since ids: path puts one id")
    if OFFSET in [*shape.query.values(), *_texts(shape.body)] and (paging is None or not paging.size):
        raise node.wrong(f"pages with a size, since {OFFSET} counts them")
    return shape, _token(keys["token"]) if "token" in keys else {}


def _path(node: Node, ids: Ids) -> str:
    wanted = f"a path such as /v3/scores, with {ID} exactly where ids is path, and no query"
    path = node.text(wanted)
    odd = re.search(r"[{}]", path.replace(ID, "").replace(AS_OF, ""))
    segments = path.split("/")
    if not _PATH.fullmatch(path) or odd or not {".", ".."}.isdisjoint(segments) or path.startswith("//"):
        raise node.wrong(wanted)
    if path.count(ID) != (ids == "path") or (ids == "path" and ID not in segments):
        raise node.wrong(wanted)
    return path


def _query(node: Node) -> dict[str, str]:
    query = node.texts("parameters by name")
    for name, value in query.items():
        if not _NAME.fullmatch(name):
            raise Node(None, f"{node.at}.{name}").wrong("a name of letters, digits and ._~$[]-")
        if re.search(r"[{}]", value.replace(AS_OF, "").replace(OFFSET, "")) and value != IDS:
            raise Node(None, f"{node.at}.{name}").wrong(f"no braces but {AS_OF}, {OFFSET} or, alone, {IDS}")
    return query


def _ids_are_put_once(node: Node, shape: RequestShape) -> None:
    in_query = list(shape.query.values()).count(IDS)
    in_body = list(_texts(shape.body)).count(IDS)
    wanted = (int(shape.ids in {"query", "comma"}), int(shape.ids == "json"))
    if (in_query, in_body) != wanted:
        raise node.wrong(
            f"{IDS} as the value of one parameter in query with ids: query or comma, as one text in body "
            f"with ids: json, and nowhere else"
        )


def _texts(template: object) -> Iterator[str]:
    if isinstance(template, str):
        yield template
    elif isinstance(template, Mapping):
        for value in template.values():
            yield from _texts(value)
    elif isinstance(template, list):
        for value in template:
            yield from _texts(value)


def _paging(node: Node) -> Paging:
    keys = node.keys("next most", "size")
    size = keys["size"].whole(1, MOST_OF_A_PAGE) if "size" in keys else 0
    return Paging(keys["next"].path(), keys["most"].whole(1, MOST_PAGES), size)


def _token(node: Node) -> dict[str, str]:
    token = node.texts("parameters by name")
    for name in token:
        if name in _OF_OAUTH or not _NAME.fullmatch(name):
            raise Node(None, f"{node.at}.{name}").wrong(
                "no secret and nothing of the grant itself, which have settings of their own"
            )
    return token
