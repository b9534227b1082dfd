"""`judge_many`: each account of a call gets its own judgement, whatever the others' entries are."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esg_assets.core.ratings import Fault, Reason, Reply, Status
from esg_assets.core.replies import Judgement, Ruling, judge, judge_many
from esg_assets.core.reply_shapes import CONTRACT_SHAPE, ContractShape
from esg_assets_tests.unit.rating_bodies import ACCOUNT, AS_OF, METRICS, Number, body, fields, to_json

IDS = ("A", "B", "C")


class Omitting(ContractShape):
    """The contract's shape of a provider that leaves unrated accounts out."""

    omits_unrated = True


def entry(account_id: str, **changes: object) -> dict[str, object]:
    return fields(account_id=account_id, **changes)


def error(account_id: str, status: object) -> dict[str, object]:
    return {"account_id": account_id, "error": {"status": status, "code": "x"}}


def several(*entries: object) -> bytes:
    return to_json({"ratings": "@"}).replace('"@"', f"[{','.join(map(to_json, entries))}]").encode()


def judged(raw: bytes, shape: ContractShape = CONTRACT_SHAPE) -> list[Judgement]:
    judgements = judge_many(Reply(200, raw), IDS, AS_OF, METRICS, shape)
    assert judgements.keys() == set(IDS)
    return [judgements[account_id] for account_id in IDS]


def endings(raw: bytes, shape: ContractShape = CONTRACT_SHAPE) -> list[str]:
    return [one.code or one.reason or one.status for one in judged(raw, shape)]


def test_each_account_gets_its_own_rating_in_any_order() -> None:
    raw = several(*(entry(i, overall_score=Number(n)) for n, i in (("3.0", "C"), ("1", "A"), ("2.50", "B"))))
    assert [one.rating.overall_score for one in judged(raw) if one.rating] == ["1", "2.50", "3.0"]


@pytest.mark.parametrize(
    "reply", [Reply(404), Reply(503), Reply(200, b"x"), Reply(None, fault=Fault.TIMEOUT)]
)
def test_a_call_that_fails_as_a_whole_says_so_for_every_account(reply: Reply) -> None:
    judgements = judge_many(reply, IDS, AS_OF, METRICS, CONTRACT_SHAPE)
    assert set(judgements) == set(IDS)
    assert len(set(map(repr, judgements.values()))) == 1
    assert all(one.whole and one.rating is None for one in judgements.values())


def test_one_bad_entry_among_good_ones_harms_itself_alone() -> None:
    bad: list[object] = [
        entry("B", overall_score=Number("150")),
        entry("B", governance_score=None),
        entry("B", overall_score="high"),
        entry("B", as_of="2026-01-15"),
        entry("B", overall_score=Number("NaN")),
    ]
    for one in bad:
        ends = endings(several(entry("A"), one, entry("C")))
        assert (ends[0], ends[2]) == ("SUCCESS", "SUCCESS")
        assert ends[1] in {"score_out_of_range", "score_invalid", "as_of_in_future"}


def test_a_key_that_stands_twice_in_an_entry_harms_that_entry_alone() -> None:
    spoilt = b'{"account_id":"B","overall_score":1,"overall_score":2}'
    raw = several(entry("A"), "@", entry("C")).replace(b'"@"', spoilt)
    assert endings(raw) == ["SUCCESS", "missing_account", "SUCCESS"]
    assert [one.whole for one in judged(raw)] == [False] * 3


def test_a_key_that_stands_twice_around_the_entries_spoils_them_all() -> None:
    raw = several(entry("A"), entry("B"), entry("C"))
    twice = raw[:-1] + b"," + raw[1:]
    assert endings(twice) == ["duplicate_key"] * 3
    assert all(one.whole for one in judged(twice))


@pytest.mark.parametrize(
    "nothing", [None, True, 7, "text", [], {}, {"account_id": None}, {"account_id": Number("7")}]
)
def test_an_entry_of_nobody_is_ignored(nothing: object) -> None:
    raw = several(entry("A"), nothing, entry("C"))
    assert endings(raw) == ["SUCCESS", "missing_account", "SUCCESS"]


def test_accounts_that_nobody_asked_for_are_ignored() -> None:
    assert endings(several(*(entry(i) for i in "XABYC"))) == ["SUCCESS"] * 3


def test_a_missing_account_may_come_with_the_next_call() -> None:
    missing = judged(several(entry("A"), entry("C")))[1]
    assert (missing.ruling, missing.reason, missing.whole) == (Ruling.TRANSIENT, Reason.BAD_RESPONSE, False)


def test_an_account_that_comes_twice_is_not_believed_even_if_both_are_equal() -> None:
    for times in (2, 3):
        raw = several(entry("A"), *[entry("B")] * times, entry("C"))
        assert endings(raw) == ["SUCCESS", "account_twice", "SUCCESS"]


@pytest.mark.parametrize(
    ("status", "ruling", "reason"),
    [
        ("404", Ruling.FINAL, "not_covered"),
        ("422", Ruling.FINAL, "rejected"),
        ("403", Ruling.FORBIDDEN, "unauthorized"),
        ("401", Ruling.UNAUTHORIZED, "unauthorized"),
        ("429", Ruling.TRANSIENT, "rate_limited"),
        ("503", Ruling.TRANSIENT, "unavailable"),
        ("504", Ruling.TRANSIENT, "timeout"),
        ("301", Ruling.FINAL, "bad_response"),
        ("204", Ruling.TRANSIENT, "bad_response"),
    ],
)
def test_an_error_of_one_account_is_ruled_by_its_status(status: str, ruling: Ruling, reason: str) -> None:
    one = judged(several(entry("A"), error("B", Number(status)), entry("C")))[1]
    assert (one.ruling, one.reason, one.whole, one.code) == (ruling, Reason(reason), False, "")
    assert one.status is (Status.NOT_RATED if status == "404" else Status.FAILED)


@pytest.mark.parametrize(
    "status", [Number("200"), Number("4.04e2"), Number("-404"), Number("4" * 5000), "404", None]
)
def test_an_error_without_a_status_is_not_believed(status: object) -> None:
    assert endings(several(entry("A"), error("B", status), entry("C")))[1] == "error_invalid"


def test_an_error_that_is_null_is_none() -> None:
    raw = several(entry("A") | {"error": "@"}, entry("B"), entry("C")).replace(b'"@"', b"null")
    assert endings(raw) == ["SUCCESS"] * 3


def test_the_single_shape_answers_for_the_account_that_it_names() -> None:
    assert endings(to_json(entry("B")).encode()) == ["wrong_account", "SUCCESS", "wrong_account"]


@pytest.mark.parametrize("vendor", [[], [1], "text"])
def test_a_single_rating_may_have_a_field_called_ratings(vendor: object) -> None:
    assert judge(Reply(200, body(ratings=vendor)), ACCOUNT, AS_OF, METRICS).status is Status.SUCCESS


def test_where_unrated_accounts_are_left_out_a_missing_one_is_not_rated() -> None:
    omitted = endings(several(entry("A"), entry("C")), shape=Omitting())
    assert omitted == ["SUCCESS", "not_covered", "SUCCESS"]
    assert endings(several(), shape=Omitting()) == ["not_covered"] * 3


@pytest.mark.parametrize("stray", [None, {"error": {}}])
def test_an_entry_of_nobody_lets_no_missing_account_pass_for_unrated(stray: object) -> None:
    raw = several(entry("A"), stray, entry("C"))
    assert endings(raw, shape=Omitting()) == ["SUCCESS", "missing_account", "SUCCESS"]


entries = st.lists(
    st.one_of(
        st.builds(entry, st.sampled_from(["A", "B", "C", "D", "X"])),
        st.builds(error, st.sampled_from(["A", "B", "C", "D"]), st.integers(100, 599).map(Number)),
        st.sampled_from([None, 1, {}, {"account_id": "A"}, entry("B", overall_score=Number("NaN"))]),
    ),
    max_size=8,
)


@given(
    entries,
    st.sets(st.sampled_from(["A", "B", "C", "D"]), min_size=1),
    st.sampled_from([CONTRACT_SHAPE, Omitting()]),
)
def test_a_judgement_depends_on_no_other_account(
    sent: list[object], asked: set[str], shape: ContractShape
) -> None:
    raw = several(*sent)
    together = judge_many(Reply(200, raw), sorted(asked), AS_OF, METRICS, shape)
    for account_id in asked:
        alone = judge_many(Reply(200, raw), [account_id], AS_OF, METRICS, shape)
        assert alone == {account_id: together[account_id]}


@given(st.binary(max_size=80) | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(several))
def test_no_bytes_make_judge_many_raise_or_believe(raw: bytes) -> None:
    assert all(one.reason is Reason.BAD_RESPONSE for one in judged(raw))


def test_one_of_a_hundred_costs_no_more_than_one_alone() -> None:
    ids = tuple(f"ACC-{n:06}" for n in range(100))
    reply = Reply(200, several(*(entry(i, rating="BBB", metrics={"waci": Number("12.5")}) for i in ids)))

    def cpu_seconds() -> float:
        start = time.thread_time()
        for _ in range(20):
            judge_many(reply, ids, AS_OF, METRICS, CONTRACT_SHAPE)
        return time.thread_time() - start

    # CPU time, and the best of several rounds: about 9 µs an account on the machine that it was set on.
    assert min(cpu_seconds() for _ in range(5)) / 2000 < 30e-6
