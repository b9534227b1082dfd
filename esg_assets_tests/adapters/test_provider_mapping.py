"""ESG_API_MAPPING is read strictly, and each message names the place of what is wrong."""

from typing import Any

import pytest

from esg_assets.adapters.esg_api.mapping import (
    MappedReplyShapes,
    check_metrics,
    parse_provider_mapping,
    request_shape,
    token_parameters,
)
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.reply_shapes import CONTRACT_SHAPE
from esg_assets_tests.adapters.provider_mappings import EXAMPLES, SMALL, canonical, changed, example, parsed

SCORE = "reply.fields.overall_score"


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("requests", {}, "unknown key requests"),
        ("request", None, "ESG_API_MAPPING: wanted the key request"),
        ("request", "GET /x", "request: wanted a mapping"),
        ("request.path", None, "request: wanted the key path"),
        ("request.path", "scores/{account_id}", "request.path: wanted a path"),
        ("request.path", "//elsewhere/{account_id}", "request.path: wanted a path"),
        ("request.path", "/a/../{account_id}", "request.path: wanted a path"),
        ("request.path", "/a?b={account_id}", "request.path: wanted a path"),
        ("request.path", "/a/x{account_id}", "request.path: wanted a path"),
        ("request.path", "/a/{account_id}/{account_id}", "request.path: wanted a path"),
        ("request.path", "/a/{accountid}", "request.path: wanted a path"),
        ("request.path", "/a", "request.path: wanted a path"),
        ("request.path", 7, "request.path: wanted a path"),
        ("request.method", "PUT", "request.method: wanted one of GET, POST"),
        ("request.ids", "header", "request.ids: wanted one of path, query, comma, json"),
        ("request.ids_per_call", 5, "request.ids_per_call: wanted 1"),
        ("request.ids_per_call", 0, "request.ids_per_call: wanted a whole number from 1 to 1000"),
        ("request.ids_per_call", True, "request.ids_per_call: wanted a whole number"),
        ("request.ids_per_call", "5", "request.ids_per_call: wanted a whole number"),
        ("request.query", {"a b": "c"}, "request.query.a b: wanted a name"),
        ("request.query", {"a": "{asof}"}, "request.query.a: wanted no braces"),
        ("request.query", {"a": ["b"]}, "request.query.a: wanted a text or a number"),
        ("request.query", {"a": "{account_ids}"}, "request: wanted {account_ids} as"),
        ("request.query", {"a": "{offset}"}, "request: wanted pages with a size"),
        ("request.body", {"a": 1}, "request.body: wanted method: POST"),
        ("request.pages", {"next": "x"}, "request.pages: wanted the key most"),
        ("request.pages", {"next": "x[", "most": 2}, "request.pages.next: wanted a JMESPath"),
        ("request.pages", {"next": "x", "most": 101}, "request.pages.most: wanted a whole number"),
        ("request.token", {"client_secret": "s"}, "request.token.client_secret: wanted no secret"),
        ("reply.entries", "data[", "reply.entries: wanted a JMESPath expression"),
        ("reply.entries", "", "reply.entries: wanted a JMESPath expression"),
        (
            "reply.entries",
            "data[?n==`7`]",
            "reply.entries: wanted a JMESPath expression in which numbers are texts",
        ),
        (SCORE, {"path": "a.[sum(b)]"}, f"{SCORE}.path: wanted a JMESPath expression in which numbers"),
        (SCORE, {"path": "to_number(a)"}, f"{SCORE}.path: wanted a JMESPath expression in which numbers"),
        ("reply.missing", "ignored", "reply.missing: wanted one of bad_response, not_rated"),
        ("reply.fields.social", {"path": "s"}, "unknown key reply.fields.social"),
        ("reply.fields.social_score", None, "reply.fields: wanted the key social_score"),
        (SCORE, "all", f"{SCORE}: wanted a mapping"),
        (SCORE, {"path": "all", "scale": [0]}, f"{SCORE}.scale: wanted the lowest and the highest"),
        (SCORE, {"path": "all", "scale": [10, 0]}, f"{SCORE}.scale: wanted the lowest and the highest"),
        (SCORE, {"path": "all", "scale": ["0", "9"]}, f"{SCORE}.scale: wanted a number"),
        (SCORE, {"path": "all", "scale": [0, float("nan")]}, f"{SCORE}.scale: wanted a number"),
        (SCORE, {"path": "all", "better": "up"}, f"{SCORE}.better: wanted one of higher, lower"),
        (SCORE, {"path": "all", "unit": "x"}, f"unknown key {SCORE}.unit"),
        (
            "reply.fields.coverage_pct",
            {"path": "c", "better": "lower"},
            "unknown key reply.fields.coverage_pct",
        ),
        ("reply.fields.primary_focus", {"derived": "lowest"}, "primary_focus.derived: wanted one of"),
        (
            "reply.fields.primary_focus",
            {"derived": "highest_pillar", "path": "f"},
            "wanted either derived or path",
        ),
        ("reply.fields.primary_focus", {}, "reply.fields.primary_focus: wanted the key path"),
        (
            "reply.fields.rating",
            {"path": "r", "values": ["AAA"]},
            "reply.fields.rating.values: wanted a mapping",
        ),
        ("reply.fields.as_of", {"path": "d", "format": "%d.%m"}, "as_of.format: wanted a format"),
        ("reply.fields.metrics", {"waci": "w"}, "reply.fields.metrics.waci: wanted a mapping"),
        ("reply.errors", {"entries": "e", "account_id": "i"}, "reply.errors: wanted the key status"),
        (
            "reply.errors",
            {"entries": "e", "account_id": "i", "status": {"path": "c", "values": {"OK": 200}}},
            "reply.errors.status.values.OK: wanted an HTTP status",
        ),
    ],
)
def test_a_mapping_that_is_wrong_is_refused_by_its_place(place: str, value: object, said: str) -> None:
    with pytest.raises(SettingsWrong) as caught:
        parsed(changed(place, value))
    assert said in str(caught.value)
    assert str(caught.value).startswith("ESG_API_MAPPING")


@pytest.mark.parametrize("text", ["", "[]", "7", "{", "null"])
def test_a_text_that_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(SettingsWrong, match="ESG_API_MAPPING: wanted a mapping"):
        parse_provider_mapping(text)


@pytest.mark.parametrize(
    "request_part",
    [
        {"path": "/a", "ids": "query", "query": {"a": "{account_ids}", "b": "{account_ids}"}},
        {"path": "/a", "ids": "json", "query": {"a": "{account_ids}"}},
        {"path": "/a", "ids": "json", "method": "POST"},
        {"path": "/a", "ids": "json", "method": "POST", "body": {"a": ["{account_ids}", "{account_ids}"]}},
        {"path": "/a/{account_id}", "ids": "path", "method": "POST", "body": ["{account_ids}"]},
    ],
)
def test_the_ids_are_put_in_one_place(request_part: dict[str, Any]) -> None:
    with pytest.raises(SettingsWrong, match=r"request: wanted \{account_ids\} as"):
        parsed({**SMALL, "request": request_part})


@pytest.mark.parametrize("path", ["data[?n=='7']", "data[1:3:2].x", "a || `[1]`", "sort_by(a, &b)", "@"])
def test_an_expression_that_needs_no_numbers_of_the_reply_is_taken(path: str) -> None:
    assert repr(parsed(changed("reply.entries", path)).reply.rows) == f"JsonPath({path!r})"


def test_the_order_and_layout_of_the_yaml_change_nothing() -> None:
    other = dict(reversed(list(SMALL.items())))
    assert canonical(other) == canonical(SMALL)
    assert parse_provider_mapping(canonical(other)) is parse_provider_mapping(canonical(SMALL))


def test_a_frozen_text_makes_the_same_shape_again() -> None:
    shapes = MappedReplyShapes()
    assert shapes.of(canonical(SMALL)) is shapes.of(canonical(SMALL))
    assert shapes.of("") is CONTRACT_SHAPE
    with pytest.raises(SettingsWrong):
        shapes.of("{}")


def test_every_example_is_a_mapping() -> None:
    names = sorted(path.stem for path in EXAMPLES.glob("*.yaml"))
    assert names == ["lseg", "msci"]
    assert all(parse_provider_mapping(example(name)).request.ids_per_call == 100 for name in names)
    assert token_parameters(example("msci")) == {"audience": "https://esg/data"}
    assert token_parameters("") == {}


def test_as_many_accounts_are_asked_for_as_the_settings_say_and_the_provider_takes() -> None:
    assert request_shape("", 1).path.startswith("/v1/accounts/")
    assert (request_shape("", 7).path, request_shape("", 7).ids_per_call) == ("/v1/esg-ratings", 7)
    assert [request_shape(example("lseg"), count).ids_per_call for count in (1, 20, 100)] == [100, 20, 100]
    for mapping, count in (("", 101), (example("lseg"), 101), (canonical(SMALL), 2)):
        with pytest.raises(SettingsWrong, match=f"ESG_API_ACCOUNTS_PER_CALL is {count}; wanted: at most 1"):
            request_shape(mapping, count)


def test_a_metric_that_is_asked_for_must_be_mapped() -> None:
    mapping = canonical(changed("reply.fields.metrics", {"waci": {"path": "w"}}))
    check_metrics(mapping, ["waci"])
    with pytest.raises(SettingsWrong, match=r"reply\.fields\.metrics: wanted women, tax, since"):
        check_metrics(mapping, ["women", "waci", "tax"])
