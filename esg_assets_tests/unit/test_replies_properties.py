"""`core.replies` for any rating and any bytes: valid ones are read back, nothing else is believed."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.rating_bodies import RATINGS
from esg_assets.core.ratings import PILLARS, Reply, Status
from esg_assets.core.replies import judge
from esg_assets_tests.unit.rating_bodies import (
    ACCOUNT,
    AS_OF,
    METRICS,
    SCORES,
    Number,
    body,
    code_of,
    to_json,
)

number_texts = st.one_of(
    st.integers(0, 100).map(str),
    st.decimals(0, 100, places=4).map(lambda d: f"{d:f}"),
    st.floats(0, 100).filter(lambda f: f == 0 or f > 1e-30).map(repr),
)
ratings = st.fixed_dictionaries(
    {
        "account_id": st.text(min_size=1, max_size=64),
        "as_of": st.dates(max_value=AS_OF).map(date.isoformat),
        "primary_focus": st.sampled_from(PILLARS),
        **dict.fromkeys(SCORES, number_texts.map(Number)),
    },
    optional={
        "rating": st.sampled_from(RATINGS),
        "coverage_pct": number_texts.map(Number),
        "metrics": st.dictionaries(st.sampled_from(["waci", "other"]), number_texts.map(Number)),
        "vendor": st.recursive(
            st.none() | st.booleans() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    },
)


@given(ratings)
def test_any_valid_rating_is_read_back_as_it_was_sent(sent: dict[str, object]) -> None:
    account_id = str(sent["account_id"])
    judgement = judge(Reply(200, to_json(sent).encode()), account_id, AS_OF, METRICS)
    rating = judgement.rating
    assert rating is not None
    assert judgement.status is Status.SUCCESS
    assert [getattr(rating, name) for name in SCORES] == [sent[name] for name in SCORES]
    assert rating.as_of.isoformat() == sent["as_of"]
    assert (rating.rating, rating.coverage_pct) == (sent.get("rating", ""), sent.get("coverage_pct", ""))
    metrics = sent.get("metrics", {})
    assert isinstance(metrics, dict)
    assert rating.metrics == {k: v for k, v in metrics.items() if k == "waci"}


@given(ratings, st.text(min_size=1, max_size=64))
def test_no_rating_is_believed_for_another_account(sent: dict[str, object], asked: str) -> None:
    judgement = judge(Reply(200, to_json(sent).encode()), asked, AS_OF, METRICS)
    assert (judgement.status is Status.SUCCESS) == (sent["account_id"] == asked)


@given(ratings, st.integers(1, 4000))
def test_no_rating_of_a_later_date_is_believed(sent: dict[str, object], days: int) -> None:
    later = (AS_OF + timedelta(days)).isoformat()
    raw = to_json({**sent, "as_of": later}).encode()
    assert judge(Reply(200, raw), str(sent["account_id"]), AS_OF, METRICS).code == "as_of_in_future"


@given(
    st.binary(max_size=200)
    | st.text(alphabet='{}[]":,0123456789.eE+-truefalsn\\u ', max_size=80).map(str.encode)
)
def test_no_bytes_make_judge_raise_or_believe(raw: bytes) -> None:
    assert code_of(raw)


@given(st.data())
def test_no_cut_off_rating_is_believed(data: st.DataObject) -> None:
    raw = body()
    assert code_of(raw[: data.draw(st.integers(0, len(raw) - 1))]) == "not_json"


@given(st.integers(100, 999).filter(lambda status: status != 200), st.binary(max_size=20))
def test_every_status_but_200_is_ruled_without_its_body(status: int, raw: bytes) -> None:
    assert judge(Reply(status, raw), ACCOUNT, AS_OF, METRICS) == judge(Reply(status), ACCOUNT, AS_OF, METRICS)
