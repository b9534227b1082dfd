"""Replies of another shape: what `judge_many` makes of them through a mapping."""

import json
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.adapters.esg_api.scales import Scale
from esg_assets.core.rating_bodies import NumberText
from esg_assets.core.ratings import Metric, Rating, Reason, Reply, Status
from esg_assets.core.replies import Judgement, judge_many
from esg_assets_tests.adapters.provider_mappings import SMALL, changed, parsed
from esg_assets_tests.unit.rating_bodies import AS_OF, Number, to_json

ROW = {
    "id": "A",
    "day": "2026-01-13",
    "all": Number("52.50"),
    "e": Number("50"),
    "s": Number("60.0"),
    "g": Number("40"),
}
METRICS = (Metric("waci", "t", "lower"),)


def judged(body: bytes, mapping: Any = SMALL) -> Judgement:
    return judge_many(Reply(200, body), ["A"], AS_OF, METRICS, parsed(mapping).reply)["A"]


def page(*rows: object) -> bytes:
    return f'{{"data":[{",".join(map(to_json, rows))}]}}'.encode()


def rating_of(row: object, mapping: Any = SMALL) -> Rating:
    one = judged(page(row), mapping)
    assert one.rating is not None, one
    return one.rating


def code_of(row: object, mapping: Any = SMALL) -> str:
    return judged(page(row), mapping).code


def test_numbers_on_our_scale_keep_the_text_that_was_sent() -> None:
    rating = rating_of(ROW)
    assert (rating.overall_score, rating.social_score) == ("52.50", "60.0")
    assert rating.primary_focus == "social"


def test_an_object_instead_of_a_list_is_the_only_entry() -> None:
    assert judged(to_json({"data": ROW}).encode()).status is Status.SUCCESS


def scale(low: object, high: object, better: str = "higher") -> Any:
    return changed("reply.fields.overall_score", {"path": "all", "scale": [low, high], "better": better})


@pytest.mark.parametrize(
    ("low", "high", "better", "sent", "kept"),
    [
        (0, 10, "higher", "7.5", "75"),
        (0, 10, "higher", "7.50", "75.0"),
        (0, 10, "higher", "10", "100"),
        (0, 10, "higher", "0.0", "0"),
        (0, 10, "higher", "6.1234567890123456789", "61.234567890123456789"),
        (0, 1, "higher", "0.787", "78.7"),
        (0, 100, "lower", "23.40", "76.60"),
        (0, 100, "lower", "0", "100"),
        (0, 40, "lower", "12.5", "68.75"),
        (1, 5, "higher", "3", "50"),
        (-100, 100, "higher", "-50", "25.0"),
        (0, 30, "higher", "10", "33.333333"),
        (0, 30, "lower", "10", "66.666667"),
        (0.5, 4.5, "higher", "1.5", "25.0"),
        (0, 10, "higher", "75e-1", "75"),
    ],
)
def test_another_scale_is_brought_to_ours_exactly(
    low: float, high: float, better: str, sent: str, kept: str
) -> None:
    assert rating_of(ROW | {"all": Number(sent)}, scale(low, high, better)).overall_score == kept


@pytest.mark.parametrize("sent", ["10.01", "-0.01", "75"])
def test_a_score_beyond_its_scale_is_not_believed(sent: str) -> None:
    for better in ("higher", "lower"):
        assert code_of(ROW | {"all": Number(sent)}, scale(0, 10, better)) == "score_out_of_range"


@pytest.mark.parametrize(
    "sent", ["7.5", True, None, {}, Number("1" * 41), Number("1e41"), Number("1e999999999")]
)
def test_a_score_that_is_no_sane_number_is_not_believed(sent: object) -> None:
    for mapping in (SMALL, scale(0, 10)):
        assert code_of(ROW | {"all": sent}, mapping) == "score_invalid"


texts = st.decimals(0, 1000, places=6).map(lambda d: f"{d:f}") | st.floats(1e-9, 1000).map(repr)


@given(texts, st.integers(-50, 50), st.integers(1, 200), st.booleans())
def test_scaling_is_exact_or_right_to_six_decimals(text: str, low: int, width: int, lower: bool) -> None:
    got = Scale(Decimal(low), Decimal(low + width), lower_is_better=lower).to_percent(NumberText(text))
    percent = (Fraction(text) - low) / width * 100
    wanted = 100 - percent if lower else percent
    assert type(got) is NumberText
    assert "e" not in got.lower() or (low, width, lower) == (0, 100, False)
    if 10**9 % Fraction(100, width).denominator == 0:  # of twos and fives alone, so that decimals end
        assert Fraction(got) == wanted
    assert abs(Fraction(got) - wanted) <= Fraction(1, 2_000_000)


@pytest.mark.parametrize(
    ("e", "s", "g", "focus"),
    [
        ("1", "2", "3", "governance"),
        ("3", "3.0", "1", "environmental"),
        ("1", "3", "3", "social"),
        ("9", "10", "9.99", "social"),
        ("0", "0", "0", "environmental"),
    ],
)
def test_the_focus_follows_from_the_highest_pillar_and_on_a_tie_from_their_order(
    e: str, s: str, g: str, focus: str
) -> None:
    assert rating_of(ROW | {"e": Number(e), "s": Number(s), "g": Number(g)}).primary_focus == focus


def test_pillars_are_compared_on_our_scale() -> None:
    risk = changed("reply.fields.environmental_score", {"path": "e", "scale": [0, 100], "better": "lower"})
    assert rating_of(ROW | {"e": Number("5")}, risk).primary_focus == "environmental"


def test_words_are_told_in_ours() -> None:
    mapping = changed("reply.fields.rating", {"path": "grade", "values": {"Leader": "AAA", "1": "CCC"}})
    mapping["reply"]["fields"]["primary_focus"] = {"path": "f", "values": {"ENV": "environmental"}}
    row = ROW | {"f": "ENV"}
    assert rating_of(row | {"grade": "Leader"}, mapping).rating == "AAA"
    assert rating_of(row | {"grade": Number("1")}, mapping).rating == "CCC"
    assert rating_of(row | {"grade": "BBB"}, mapping).rating == "BBB"
    assert rating_of(row, mapping).rating == ""
    assert code_of(row | {"grade": "good"}, mapping) == "rating_invalid"
    assert code_of(row | {"f": "OTHER"}, mapping) == "focus_invalid"


def test_coverage_and_metrics_are_taken_where_they_are() -> None:
    mapping = changed("reply.fields.coverage_pct", {"path": "c", "scale": [0, 1]})
    mapping["reply"]["fields"]["metrics"] = {"waci": {"path": "carbon.waci"}, "other": {"path": "x"}}
    rating = rating_of(ROW | {"c": Number("0.934"), "carbon": {"waci": Number("-1.20")}, "x": "no"}, mapping)
    assert (rating.coverage_pct, rating.metrics) == ("93.4", {"waci": "-1.20"})
    assert rating_of(ROW, mapping).coverage_pct == ""
    assert code_of(ROW | {"c": "all"}, mapping) == "coverage_invalid"
    assert code_of(ROW | {"carbon": {"waci": "much"}}, mapping) == "metric_invalid"


@pytest.mark.parametrize(
    ("format_", "sent", "code"),
    [
        ("%Y%m%d", "20260113", ""),
        ("%Y%m%d", Number("20260113"), ""),
        ("%d.%m.%Y", "13.01.2026", ""),
        ("%Y-%m-%dT%H:%M:%SZ", "2026-01-13T23:59:59Z", ""),
        ("%Y%m%d", "20260115", "as_of_in_future"),
        ("%Y%m%d", "2026-13-01", "as_of_invalid"),
        ("%d.%m.%Y", "30.02.2026", "as_of_invalid"),
        ("%Y%m%d", None, "as_of_invalid"),
        ("", Number("20260113"), "as_of_invalid"),
    ],
)
def test_a_date_of_another_format_is_read(format_: str, sent: object, code: str) -> None:
    told = {"path": "day"} | ({"format": format_} if format_ else {})
    mapping = changed("reply.fields.as_of", told)
    assert code_of(ROW | {"day": sent}, mapping) == code


def test_an_id_that_comes_as_a_number_is_the_text_of_it() -> None:
    shape = parsed(SMALL).reply
    reply = Reply(200, page(ROW | {"id": Number("4295904307")}))
    assert judge_many(reply, ["4295904307"], AS_OF, (), shape)["4295904307"].rating is not None


COLUMNS = changed("reply.columns", "headers[*].name")


def columns_body(names: list[str], *rows: Sequence[object]) -> bytes:
    told = json.dumps([{"name": name} for name in names])
    data = ",".join("[" + ",".join(to_json(value) for value in row) + "]" for row in rows)
    return f'{{"headers":{told},"data":[{data}]}}'.encode()


def test_rows_are_read_by_the_names_of_their_columns() -> None:
    shape = parsed(COLUMNS).reply
    names = ["s", "g", "id", "day", "all", "e"]
    row = [ROW[name] for name in names]
    found = judge_many(Reply(200, columns_body(names, row, row[:-1], ["x"] * 6)), ["A"], AS_OF, (), shape)[
        "A"
    ]
    assert found.rating is not None
    assert (found.rating.social_score, found.rating.environmental_score) == ("60.0", "50")
    for bad in (["id", "id"], ["id"]):
        reply = Reply(200, columns_body(bad, row))
        assert judge_many(reply, ["A"], AS_OF, (), shape)["A"].reason is Reason.BAD_RESPONSE


ERRORS = changed(
    "reply.errors",
    {
        "entries": "problems[?level=='ERROR']",
        "account_id": "id",
        "status": {"path": "code", "values": {"NOT_COVERED": 404, "7": "422"}},
    },
)


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("NOT_COVERED", (Status.NOT_RATED, Reason.NOT_COVERED)),
        (Number("7"), (Status.FAILED, Reason.REJECTED)),
        ("503", (Status.FAILED, Reason.UNAVAILABLE)),
        (Number("429"), (Status.FAILED, Reason.RATE_LIMITED)),
        ("UNHEARD_OF", (Status.FAILED, Reason.BAD_RESPONSE)),
        (None, (Status.FAILED, Reason.BAD_RESPONSE)),
    ],
)
def test_what_the_provider_says_of_an_account_is_ruled_as_a_status(
    code: object, ends: tuple[object, ...]
) -> None:
    shape = parsed(ERRORS).reply
    problems = ",".join(to_json({"id": "B", "code": code, "level": level}) for level in ("ERROR", "INFO"))
    body = b'{"data":[' + to_json(ROW).encode() + b'],"problems":[' + problems.encode() + b"]}"
    found = judge_many(Reply(200, body), ["A", "B"], AS_OF, (), shape)
    assert found["A"].status is Status.SUCCESS
    assert (found["B"].status, found["B"].reason) == ends


def test_a_page_with_errors_alone_is_of_the_shape_and_one_with_nothing_is_not() -> None:
    shape = parsed(ERRORS).reply
    alone = b'{"problems":[{"id":"A","code":"NOT_COVERED","level":"ERROR"}]}'
    assert judge_many(Reply(200, alone), ["A"], AS_OF, (), shape)["A"].status is Status.NOT_RATED
    nothing = judge_many(Reply(200, b'{"other": 1}'), ["A"], AS_OF, (), shape)["A"]
    assert (nothing.code, nothing.whole) == ("entries_not_found", True)


def test_one_bad_entry_among_good_ones_harms_itself_alone() -> None:
    shape = parsed(SMALL).reply
    rows = [ROW, ROW | {"id": "B", "e": Number("NaN")}, ROW | {"id": "C", "day": None}, 7, ROW | {"id": "D"}]
    found = judge_many(Reply(200, page(*rows)), list("ABCD"), AS_OF, (), shape)
    ends = {account_id: one.code or one.status for account_id, one in found.items()}
    assert ends == {"A": "SUCCESS", "B": "score_invalid", "C": "as_of_invalid", "D": "SUCCESS"}


def test_what_is_left_out_counts_as_unrated_only_where_the_mapping_says_so() -> None:
    reply = Reply(200, page(ROW))
    for missing, ends in (("bad_response", Reason.BAD_RESPONSE), ("not_rated", Reason.NOT_COVERED)):
        shape = parsed(changed("reply.missing", missing)).reply
        assert judge_many(reply, ["A", "B"], AS_OF, (), shape)["B"].reason is ends


def test_functions_on_what_they_do_not_take_find_nothing() -> None:
    assert code_of(ROW, changed("reply.fields.overall_score", {"path": "length(all)"})) == "score_invalid"


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["A", "2026-01-13"]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["data", "id", "day", "e", "problems", "headers", "name"]), inner
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_makes_a_mapped_shape_raise_or_is_believed(document: object) -> None:
    raw = json.dumps(document).encode()
    for mapping in (SMALL, COLUMNS, ERRORS):
        one = judge_many(Reply(200, raw), ["A"], AS_OF, METRICS, parsed(mapping).reply)["A"]
        assert one.rating is None


def test_the_version_of_the_methodology_is_found_and_is_none_where_there_is_none() -> None:
    mapping = changed("reply.fields.methodology_version", {"path": "model.version"})
    assert rating_of(ROW | {"model": {"version": "2.1"}}, mapping).methodology_version == "2.1"
    assert rating_of(ROW, mapping).methodology_version == ""
    assert rating_of(ROW | {"model": {"version": "2.1"}}).methodology_version == ""
