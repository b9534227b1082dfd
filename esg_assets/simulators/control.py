"""/_simulator/: what tests ask the simulators about themselves, and tell them while they run.

GET  ready
GET  stats[?arrivals=1][&accounts=1]
POST reset                                   counters and tries back to zero
POST faults   {"spec": "500=0.1", "seed": 3} other faults from now on; tries start at 1 again
POST token_faults   {"spec": "503=2"}        the next requests for a token fail; nothing ends it
POST outage   {"on": true, "kind": "503"}    until {"on": false}; or {"seconds": 2.5},
                                             or {"first": 101, "last": 250}, or {} to end it
POST rate     {"rate": 50, "burst": 5}       another rate limit
POST revoke                                  every issued token ends now
"""

import json
from dataclasses import replace
from typing import Any

from esg_assets.simulators.esg_api import EsgApi
from esg_assets.simulators.exchange import Malformed, Reply, Request, json_reply, problem, query_of
from esg_assets.simulators.faults import Faults
from esg_assets.simulators.outage import KINDS, Outage
from esg_assets.simulators.token_faults import TokenFaults

ACTIONS = {
    "ready": ("GET",),
    "stats": ("GET",),
    "reset": ("POST",),
    "faults": ("POST",),
    "token_faults": ("POST",),
    "outage": ("POST",),
    "rate": ("POST",),
    "revoke": ("POST",),
}


class Control:
    """The control endpoints over an ESG API and the faults of the token endpoint."""

    def __init__(self, api: EsgApi, token_faults: TokenFaults) -> None:
        self._api = api
        self._token_faults = token_faults

    def handle(self, action: str, request: Request) -> Reply:
        """The reply to one of ACTIONS; 400 with the reason if it cannot be done."""
        try:
            told = json.loads(request.body or b"{}")
            answer = self._do(action, request.query, told)
        except (Malformed, ValueError, KeyError, TypeError, AttributeError) as error:
            return problem(400, "invalid_order", "Bad Request", f"{type(error).__name__}: {error}")
        return json_reply(json.dumps(answer).encode())

    def _do(self, action: str, query: bytes, told: dict[str, Any]) -> dict[str, Any]:
        match action:
            case "stats":
                return self._stats(query)
            case "reset":
                self._reset()
            case "faults":
                self._faults(told)
            case "token_faults":
                self._token_faults.calls[:] = TokenFaults.parse(str(told["spec"])).calls
            case "outage":
                self._outage(told)
            case "rate":
                self._rate(told)
            case "revoke":
                return {"revoked": self._api.credentials.revoke()}
        return {"ready": True}

    def _stats(self, query: bytes) -> dict[str, Any]:
        asked = query_of(query)
        figures = self._api.statistics.report(arrivals="arrivals" in asked, accounts="accounts" in asked)
        return figures | {"tokens_issued": self._api.credentials.issued}

    def _reset(self) -> None:
        self._api.statistics.forget()
        self._api.credentials.issued = 0

    def _faults(self, told: dict[str, Any]) -> None:
        self._api.faults = Faults.parse(str(told["spec"]), int(told.get("seed", self._api.faults.seed)))
        self._api.statistics.tries_of.clear()

    def _outage(self, told: dict[str, Any]) -> None:
        kind = str(told.get("kind", "503"))
        if not KINDS.fullmatch(kind):
            raise Malformed(f"kind {kind!r} is no status, timeout or reset")
        seconds = float(told.get("seconds", 0))
        self._api.outage = replace(
            Outage(kind),
            on=bool(told.get("on", False)),
            first=int(told.get("first", 0)),
            last=int(told.get("last", 0)),
            until=self._api.clock() + seconds if seconds else 0.0,
        )

    def _rate(self, told: dict[str, Any]) -> None:
        rate = float(told["rate"])
        self._api.bucket.change(rate, float(told.get("burst", max(1.0, rate / 10))), self._api.clock())
