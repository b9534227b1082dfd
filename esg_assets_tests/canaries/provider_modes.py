"""The provider and its token endpoint: every fault that the simulators know, and answers with texts."""

from collections.abc import Callable

from esg_assets import composition
from esg_assets.core.ratings import Fault, Reply
from esg_assets.simulators.faults import KINDS
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.canaries.ground import Ground
from esg_assets_tests.canaries.mode import Mode
from esg_assets_tests.canaries.planted import Canary
from esg_assets_tests.raw_server import answer, raw_server, sends

STATUSES = ("400", "401", "403", "404", "422", "429", "500", "503")
_SLOW = {"timeout", "slow", "drip"}
"""Kinds in which little can leak and much time goes by: one of them stands for all."""


def _ordered(kind: str) -> Mode:
    """The real client against the simulators, which send this fault to half of the accounts."""

    def drive(ground: Ground, canary: Canary) -> None:
        ratings = ground.inputs / f"{canary.number}.csv"
        pillars = "environmental_score,social_score,governance_score"
        lines = [f"account_id,as_of,overall_score,{pillars},primary_focus"]
        lines += [
            f"{i},2025-12-31,{s},{s},{s},{s},social" for i, s in zip(canary.ids, canary.scores, strict=True)
        ]
        ratings.write_text("\n".join([*lines, ""]), encoding="utf-8")
        options = Options(
            ratings_file=str(ratings),
            faults=f"{kind}@{'+'.join(canary.ids[:4])}",
            auth="api_key",
            api_key=canary.api_key,
        )
        with SimulatorServer(options) as server:
            settings = ground.settings(
                ESG_API_URL=server.url, ESG_API_AUTH="api_key", ESG_API_KEY=canary.api_key
            )
            api = composition.ratings_api(settings)
            ran = ground.run(canary, esg_api=api, blocks=False)
            assert server.stats()["calls"], "the provider was asked"
        # Faults of the whole provider may end the run: also that is told somewhere.
        assert ran.success or ran.failure

    words = KINDS.get(kind, f"status {kind}")
    return Mode(f"provider: {words}", drive)


FAULTS = [_ordered(kind) for kind in [*KINDS, *STATUSES] if kind not in _SLOW]


def _scripted(name: str, reply: Callable[[Canary], Reply | Exception]) -> Mode:
    def drive(ground: Ground, canary: Canary) -> None:
        ran = ground.run(canary, script=canary.script(a3=reply(canary), a5=reply(canary)), blocks=False)
        assert ran.success
        rows = ground.house.report(ground.day(canary))
        assert rows[canary.ids[3]]["processing_status"] in {"FAILED", "NOT_RATED"}

    return Mode(f"provider: {name}", drive)


TEXTS = [
    _scripted("404 with everything in its body", lambda c: Reply(404, c.body)),
    _scripted("422 with everything in its body", lambda c: Reply(422, c.body)),
    _scripted("500 with everything in its body", lambda c: Reply(500, c.body)),
    _scripted("200 with everything in its body", lambda c: Reply(200, c.body)),
    _scripted("a time-out", lambda c: Reply(None, fault=Fault.TIMEOUT)),
    _scripted("bytes that are no text", lambda c: Reply(200, b"\xff\xfe" + c.body)),
]


def _labels(ground: Ground, canary: Canary) -> None:
    """Labels off every scale come through as SUCCESS or not at all; no figure may be named by one."""
    odd = [canary.reply(i, ground.day(canary), rating=canary.names[n]) for n, i in enumerate(canary.ids)]
    ran = ground.run(canary, script={i: [r] for i, r in zip(canary.ids, odd, strict=True)}, blocks=False)
    assert ran.success


LABELS = Mode("provider: letters that are account names", _labels)


def _nobody_listens(ground: Ground, canary: Canary) -> None:
    settings = ground.settings(
        ESG_API_KEY=canary.api_key,
        ESG_API_AUTH="api_key",
        ESG_API_PROXY=f"http://esg:{canary.token}@127.0.0.1:9",
    )
    ran = ground.run(canary, esg_api=composition.ratings_api(settings))
    assert not ran.success


def _token(name: str, sent: Callable[[Canary], bytes]) -> Mode:
    """OAuth 2.0 at an endpoint that answers so; the run must fail."""

    def drive(ground: Ground, canary: Canary) -> None:
        with raw_server(sends(sent(canary))) as server:
            settings = ground.settings(
                ESG_API_AUTH="oauth2",
                ESG_API_TOKEN_URL=f"{server.url}/token",
                ESG_API_CLIENT_ID="nightly",
                ESG_API_CLIENT_SECRET=canary.client_secret,
            )
            ran = ground.run(canary, esg_api=composition.ratings_api(settings))
            assert server.requests
        assert not ran.success

    return Mode(f"token endpoint: {name}", drive)


TOKENS = [
    _token("400 that repeats the client's secret", lambda c: answer(400, c.body)),
    _token("401 with everything in its body", lambda c: answer(401, c.body)),
    _token("an answer that is no JSON", lambda c: answer(200, b"token=" + c.token.encode())),
    _token(
        "a token with a line break", lambda c: answer(200, f'{{"access_token": "{c.token}\\n"}}'.encode())
    ),
    _token(
        "a redirect with the token in it",
        lambda c: answer(302, location=f"https://{c.token}@elsewhere.invalid/"),
    ),
    _token(
        "a good token, and nobody at the provider",
        lambda c: answer(
            200, f'{{"access_token": "{c.token}", "expires_in": 3600, "token_type": "bearer"}}'.encode()
        ),
    ),
]

MODES = [
    *FAULTS,
    *TEXTS,
    LABELS,
    Mode("provider: nobody listens at a proxy with a password", _nobody_listens),
    *TOKENS,
]
