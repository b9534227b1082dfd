"""Public shapes of other providers over the same ratings, limits, credentials and faults.

`lseg`: GET /data/environmental-social-governance/v2/views/scores-full?universe=A,B. Rows with a list of
headers, scores from 0 to 100, no focus; an instrument without a rating is left out.

`msci`: POST /esg/data/v2.0/issuers with issuer_identifier_list, factor_name_list, limit and offset.
Objects, scores from 0 to 10, dates as 20260113; what cannot be rated is told in `messages`; pages of at
most `limit`, each with the link to the next.

Both answer as of today, as the originals do. The shapes are those that public clients of these providers
read; field names beyond them are our own. A fault that spoils one entry spoils it here too, but for two
keys of one name, which do not survive the reshaping.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from esg_assets.simulators.esg_api import EsgApi
from esg_assets.simulators.exchange import (
    Malformed,
    Reply,
    Request,
    json_reply,
    json_text,
    problem,
    query_of,
    single,
)

PROVIDERS = ("contract", "lseg", "msci")
LSEG_PATH = b"/data/environmental-social-governance/v2/views/scores-full"
MSCI_PATH = b"/esg/data/v2.0/issuers"

_LSEG_COLUMNS = {
    "instrument": ("Instrument", "string", "account_id"),
    "periodenddate": ("Period End Date", "date", "as_of"),
    "TR.TRESGScore": ("ESG Score", "number", "overall_score"),
    "TR.EnvironmentPillarScore": ("Environmental Pillar Score", "number", "environmental_score"),
    "TR.SocialPillarScore": ("Social Pillar Score", "number", "social_score"),
    "TR.GovernancePillarScore": ("Governance Pillar Score", "number", "governance_score"),
}
_MSCI_SCORES = {
    "WEIGHTED_AVERAGE_SCORE": "overall_score",
    "ENVIRONMENTAL_PILLAR_SCORE": "environmental_score",
    "SOCIAL_PILLAR_SCORE": "social_score",
    "GOVERNANCE_PILLAR_SCORE": "governance_score",
}
_MSCI_MOST = 100

Entries = Sequence[Mapping[str, Any]]


class Providers:
    """The routes of one provider's shape: `routes` is by path, with the method each takes.

    Args:
        provider: one of PROVIDERS; `contract` has no routes of its own.
        api: what answers.
        scheme: http or https, for links.
    """

    def __init__(self, provider: str, api: EsgApi, scheme: str = "http") -> None:
        self._api = api
        self._scheme = scheme
        routes: dict[str, dict[bytes, tuple[str, Callable[[Request], Reply]]]] = {
            "contract": {},
            "lseg": {LSEG_PATH: ("GET", self.scores_full)},
            "msci": {MSCI_PATH: ("POST", self.issuers)},
        }
        self.routes = routes[provider]

    def scores_full(self, request: Request) -> Reply:
        """LSEG's view scores-full of the instruments in `universe`."""
        try:
            universe = single(query_of(request.query), "universe") or ""
        except Malformed as error:
            return _malformed(str(error))
        return _reshaped(self._asked(request, universe.split(",")), _lseg)

    def issuers(self, request: Request) -> Reply:
        """MSCI's factors of the issuers in `issuer_identifier_list`, one page of them."""
        try:
            told = json.loads(request.body)
            ids, factors = told["issuer_identifier_list"], told["factor_name_list"]
            query = query_of(request.query)
            limit = min(int(single(query, "limit") or told.get("limit", _MSCI_MOST)), _MSCI_MOST)
            offset = int(single(query, "offset") or told.get("offset", 0))
            if not (_texts(ids) and _texts(factors)) or limit < 1 or offset < 0:
                raise ValueError  # noqa: TRY301  # the same answer as for all that is malformed
        except (ValueError, KeyError, TypeError, AttributeError, Malformed):
            return _malformed("wanted: issuer_identifier_list, factor_name_list, limit and offset")
        page = ids[offset : offset + limit]
        links: dict[str, str] = {}
        if offset + limit < len(ids):
            host = (request.header(b"host") or b"").decode("latin-1")
            query_of_next = urlencode({"limit": limit, "offset": offset + limit})
            links["next"] = f"{self._scheme}://{host}{MSCI_PATH.decode()}?{query_of_next}"
        paging = {"total_count": len(ids), "limit": limit, "offset": offset, "links": links}
        return _reshaped(self._asked(request, page), lambda entries: _msci(entries, factors, paging))

    def _asked(self, request: Request, account_ids: Sequence[str]) -> Reply:
        query = urlencode([("account_id", account_id) for account_id in account_ids]).encode()
        return self._api.several(Request(request.headers, query))


def _lseg(entries: Entries) -> Any:
    rated = [entry for entry in entries if "error" not in entry]
    return {
        "links": {"count": len(rated)},
        "variability": "variable",
        "universe": [{"Instrument": entry["account_id"]} for entry in rated],
        "data": [[entry.get(ours) for _, _, ours in _LSEG_COLUMNS.values()] for entry in rated],
        "messages": {"codes": [], "descriptions": [{"code": -1, "description": "ok"}]},
        "headers": [
            {"name": name, "title": title, "type": kind} for name, (title, kind, _) in _LSEG_COLUMNS.items()
        ],
    }


def _msci(entries: Entries, factors: Sequence[str], paging: Mapping[str, Any]) -> Any:
    return {
        "messages": [
            {
                "code": "IDENTIFIER_NOT_COVERED" if entry["error"]["status"] == 404 else "IDENTIFIER_REFUSED",  # noqa: PLR2004
                "severity": "WARNING",
                "client_identifier": entry["account_id"],
            }
            for entry in entries
            if "error" in entry
        ],
        "paging": paging,
        "result": {"issuers": [_issuer(entry, factors) for entry in entries if "error" not in entry]},
    }


def _issuer(entry: Mapping[str, Any], factors: Sequence[str]) -> dict[str, Any]:
    values = {name: _tenth(entry.get(ours)) for name, ours in _MSCI_SCORES.items()}
    values |= {"IVA_COMPANY_RATING": entry.get("rating"), "IVA_RATING_DATE": entry["as_of"].replace("-", "")}
    asked = {name: value for name, value in values.items() if name in factors and value is not None}
    return {"CLIENT_IDENTIFIER": entry["account_id"], **asked}


def _tenth(score: Any) -> Any:
    return score / 10 if isinstance(score, Decimal) else score


def _reshaped(reply: Reply, shape: Callable[[Entries], Any]) -> Reply:
    """`reply` with its entries in another shape; one that is spoilt or refused as a whole stays as it is."""
    if reply.status != 200 or reply.delivery is not None:  # noqa: PLR2004 - HTTP's OK
        return reply
    try:
        entries = json.loads(reply.body, parse_float=Decimal, parse_int=Decimal)["ratings"]
    except (ValueError, TypeError):
        return reply
    new = json_reply(_json(shape(entries)).encode())
    kept = [field for field in reply.headers if not field[0].startswith(b"content-")]
    return Reply(new.status, [*new.headers, *kept], new.body)


def _json(value: Any) -> str:
    """JSON whose numbers keep their digits."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json_text(name)}:{_json(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return f"{value:f}" if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _malformed(detail: str) -> Reply:
    return problem(400, "invalid_request", "Bad Request", detail)
