"""ESG_ACCOUNTS_MAPPING, after YAML has read it."""

import pytest

from esg_assets.core.account_mapping import CONTRACT_MAPPING, AccountMapping, parse_account_mapping
from esg_assets.core.errors import SettingsWrong


def test_no_mapping_is_the_contracts_names_and_statuses() -> None:
    assert parse_account_mapping(None) == CONTRACT_MAPPING == parse_account_mapping({})
    assert CONTRACT_MAPPING.source_of("account_id") == "account_id"
    assert CONTRACT_MAPPING.active == {"active"}


def test_fields_and_active_values_are_taken_as_given() -> None:
    mapping = parse_account_mapping({"fields": {"acct_no": "account_id"}, "active": ["A", "OPEN"]})
    assert mapping == AccountMapping({"acct_no": "account_id"}, frozenset({"A", "OPEN"}), None)
    assert mapping.source_of("account_id") == "acct_no"
    assert mapping.source_of("status") == "status"


def test_a_mapping_of_fields_alone_leaves_the_contracts_statuses_in_force() -> None:
    mapping = parse_account_mapping({"fields": {"state": "status", "opened": "opened_on"}})
    assert mapping.known == frozenset({"active", "closed", "suspended"})


def test_a_name_that_the_source_uses_for_something_else_is_not_ours() -> None:
    mapping = parse_account_mapping({"fields": {"account_name": "account_type"}})
    assert mapping.source_of("account_name") is None
    assert mapping.source_of("account_type") == "account_name"


def test_two_fields_may_change_places() -> None:
    mapping = parse_account_mapping({"fields": {"status": "account_id", "account_id": "status"}})
    assert (mapping.source_of("status"), mapping.source_of("account_id")) == ("account_id", "status")


@pytest.mark.parametrize(
    ("document", "part"),
    [
        ("account_id", "another shape"),
        ({"columns": {}}, "another shape"),
        ({"fields": ["acct_no"]}, "no texts"),
        ({"fields": {1: "account_id"}}, "no texts"),
        ({"fields": {"a": None}}, "no texts"),
        ({"fields": {"a": "acount_id"}}, "maps to acount_id"),
        ({"fields": {"a": "account_id", "b": "account_id"}}, "two fields to account_id"),
        ({"fields": {"status": "account_type"}}, "no field for status"),
        ({"active": "A"}, "no list under active"),
        ({"active": []}, "no list under active"),
        ({"active": None}, "no list under active"),
        ({"active": [True]}, "no text"),
        ({"active": [1]}, "no text"),
    ],
)
def test_a_wrong_mapping_is_refused_by_name(document: object, part: str) -> None:
    with pytest.raises(SettingsWrong, match=r"^ESG_ACCOUNTS_MAPPING .*Wanted: ") as refusal:
        parse_account_mapping(document)
    assert part in str(refusal.value)
