"""LSEG's and MSCI's public shapes end to end: the example mappings against their simulators."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from esg_assets.adapters.authorization import Bearer
from esg_assets.adapters.esg_api.client import HttpEsgApi
from esg_assets.adapters.esg_api.mapping import MappedReplyShapes, request_shape
from esg_assets.core.errors import AccessDenied
from esg_assets.core.ratings import Fault, Rating, Reason, Reply, Status
from esg_assets.core.replies import Judgement, judge, judge_many
from esg_assets.simulators.options import Options
from esg_assets.simulators.server import SimulatorServer
from esg_assets_tests.adapters.esg_api_calls import AS_OF, client
from esg_assets_tests.adapters.provider_mappings import example

IDS = tuple(f"ACC-{n}" for n in range(60))


@pytest.fixture(scope="module")
def ratings(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of ratings dated the day before: four in five accounts have one."""
    lines = [
        "account_id,as_of,overall_score,environmental_score,social_score,governance_score,primary_focus,rating"
    ]
    for n, account_id in enumerate(IDS):
        pillars = [f"{(7 * n + 31 * pillar) % 100}.{n % 10}0" for pillar in range(3)]
        focus = ("environmental", "social", "governance")[pillars.index(max(pillars, key=float))]
        scores = f"{n}.25,{','.join(pillars)}"
        if n % 5:
            lines.append(
                f"{account_id},{AS_OF - timedelta(1)},{scores},{focus},{('AAA', 'BB', 'CCC')[n % 3]}"
            )
    path = tmp_path_factory.mktemp("ratings") / "ratings.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module", params=["lseg", "msci"])
def provider(request: pytest.FixtureRequest, ratings: str) -> Iterator[SimulatorServer]:
    """The ratings in the provider's shape and in the contract's."""
    options = Options(provider=request.param, ratings_file=ratings, auth="oauth2,bearer")
    with SimulatorServer(options) as server:
        yield server


@pytest.fixture
def api(provider: SimulatorServer) -> Iterator[HttpEsgApi]:
    shape = request_shape(example(provider.options.provider), 1)
    with client(provider.url, Bearer(provider.options.bearer_token), shape=shape) as one:
        yield one


def judged(provider: SimulatorServer, reply: Reply, ids: tuple[str, ...] = IDS) -> Mapping[str, Judgement]:
    shape = MappedReplyShapes().of(example(provider.options.provider))
    return judge_many(reply, ids, AS_OF, (), shape)


@pytest.fixture
def truth(provider: SimulatorServer) -> Mapping[str, Judgement]:
    """What the contract's own shape says of the same accounts."""
    with client(provider.url, Bearer(provider.options.bearer_token)) as one:
        return {account_id: judge(one.ask(account_id, AS_OF), account_id, AS_OF, ()) for account_id in IDS}


def shortened(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def essence(rating: Rating, *, letters: bool) -> tuple[str, ...]:
    """What both shapes have, with the zeros at the end of a number left away, which 7.50 * 10 loses."""
    numbers = (rating.overall_score, rating.environmental_score, rating.social_score, rating.governance_score)
    return (
        *map(shortened, numbers),
        rating.primary_focus,
        str(rating.as_of),
        rating.rating if letters else "",
    )


def test_every_account_ends_as_it_does_in_the_contracts_own_shape(
    provider: SimulatorServer, api: HttpEsgApi, truth: Mapping[str, Judgement]
) -> None:
    letters = provider.options.provider == "msci"
    found = judged(provider, api.ask_many(IDS, AS_OF))
    assert {one.status for one in truth.values()} == {Status.SUCCESS, Status.NOT_RATED}
    for account_id, true in truth.items():
        one = found[account_id]
        assert (one.status, one.reason, one.code) == (true.status, true.reason, "")
        if true.rating is not None and one.rating is not None:
            assert essence(one.rating, letters=letters) == essence(true.rating, letters=letters)


def test_one_account_can_be_asked_for_alone(provider: SimulatorServer, api: HttpEsgApi) -> None:
    endings = {judged(provider, api.ask(one, AS_OF), (one,))[one].status for one in IDS[:12]}
    assert endings == {Status.SUCCESS, Status.NOT_RATED}


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("429=1:3", Reason.RATE_LIMITED),
        ("503", Reason.UNAVAILABLE),
        ("not_json", Reason.BAD_RESPONSE),
        ("truncated", Reason.BAD_RESPONSE),
        ("oversize", Reason.BAD_RESPONSE),
        ("redirect", Reason.BAD_RESPONSE),
    ],
)
def test_a_call_that_fails_as_a_whole_fails_for_all(
    provider: SimulatorServer, api: HttpEsgApi, fault: str, reason: Reason
) -> None:
    provider.order_faults(fault)
    try:
        found = judged(provider, api.ask_many(IDS[:3], AS_OF), IDS[:3])
    finally:
        provider.order_faults("")
    assert [(one.reason, one.whole) for one in found.values()] == [(reason, True)] * 3


@pytest.mark.parametrize(
    "fault", ["wrong_id", "out_of_range", "nan", "wrong_type", "missing_field", "future"]
)
def test_an_entry_that_is_spoilt_harms_itself_alone(
    provider: SimulatorServer, api: HttpEsgApi, truth: Mapping[str, Judgement], fault: str
) -> None:
    provider.order_faults(f"{fault}=0.3/sticky", seed=4)
    try:
        found = judged(provider, api.ask_many(IDS, AS_OF))
    finally:
        provider.order_faults("")
    spoilt = {account_id for account_id, one in found.items() if one.status is not truth[account_id].status}
    assert 5 < len(spoilt) < 30
    # What LSEG leaves out under the right name cannot be told from what it has no rating of.
    left_out = fault == "wrong_id" and provider.options.provider == "lseg"
    assert {found[account_id].reason for account_id in spoilt} == {
        Reason.NOT_COVERED if left_out else Reason.BAD_RESPONSE
    }


def test_wrong_credentials_are_a_401(provider: SimulatorServer) -> None:
    shape = request_shape(example(provider.options.provider), 1)
    with client(provider.url, Bearer("wrong"), shape=shape) as one:
        assert one.ask_many(IDS[:2], AS_OF).status == 401


@pytest.fixture(scope="module")
def msci(ratings: str) -> Iterator[SimulatorServer]:
    """MSCI's shape, 50 calls a second at most and 20 at once."""
    options = Options(provider="msci", ratings_file=ratings, auth="bearer", rate=50.0, burst=20.0)
    with SimulatorServer(options) as server:
        yield server


def paged(server: SimulatorServer, size: int, wait: Callable[[], None] | None) -> Reply:
    """IDS asked for in pages of `size`."""
    mapping = json.loads(example("msci"))
    mapping["request"]["body"]["limit"] = mapping["request"]["pages"]["size"] = size
    shape = request_shape(json.dumps(mapping), 1)
    with client(server.url, Bearer(server.options.bearer_token), shape=shape) as one:
        return one.ask_many(IDS, AS_OF, wait)


def test_pages_are_followed_and_each_is_a_call_of_its_own(msci: SimulatorServer) -> None:
    whole = paged(msci, 100, None)
    before = msci.stats()["calls"]
    waited: list[None] = []
    found = paged(msci, 7, lambda: waited.append(None))
    assert msci.stats()["calls"] - before == 9 == len(waited) + 1
    shape = MappedReplyShapes().of(example("msci"))
    assert judge_many(found, IDS, AS_OF, (), shape) == judge_many(whole, IDS, AS_OF, (), shape)
    assert len(json.loads(found.body)) == 9


def test_more_pages_than_the_mapping_allows_are_not_believed(msci: SimulatorServer) -> None:
    assert paged(msci, 5, lambda: None).fault is Fault.BAD_RESPONSE


def test_a_limit_that_is_met_between_pages_refuses_the_call(msci: SimulatorServer) -> None:
    msci.change_rate(0.001, 3)
    try:
        refused = paged(msci, 7, lambda: None)
    finally:
        msci.change_rate(50, 20)
    assert refused.status == 429
    assert refused.retry_after is not None


def test_what_ends_a_wait_for_a_slot_comes_through(msci: SimulatorServer) -> None:
    def end() -> None:
        raise AccessDenied("stopped")

    with pytest.raises(AccessDenied):
        paged(msci, 7, end)


def test_the_other_provider_is_not_served_unless_ordered(msci: SimulatorServer) -> None:
    shape = request_shape(example("lseg"), 1)
    with client(msci.url, Bearer(msci.options.bearer_token), shape=shape) as one:
        assert one.ask("ACC-1", AS_OF).status == 404
    with pytest.raises(ValueError, match="--provider: 'both' is none of contract, lseg, msci"):
        replace(Options(), provider="both")
