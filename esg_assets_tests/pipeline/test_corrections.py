"""A published report is made again, as the UI does it: run tags say why and who, or nothing is published."""

from pathlib import Path

import pytest

from esg_assets.lifecycle import LifecycleStores
from esg_assets.working_window import close_windows
from esg_assets_tests.fakes import FakeRatingsApi, rating_reply
from esg_assets_tests.pipeline.house import DAY, House

WHY, WHO = "esg/reason", "esg/requested_by"


@pytest.fixture
def archived(house: House, tmp_path: Path) -> House:
    """A date whose working window has passed; since then the provider says something else of one account."""
    house.run()
    stores = LifecycleStores(house.settings.model_copy(update={"working_days": 0}))
    (turn,) = close_windows(stores.window, house.leases, "test", [DAY])
    assert turn.closed is not None
    changed = rating_reply("ACC-00002", DAY.replace(day=14), overall_score=70)
    house.api = FakeRatingsApi({"ACC-00002": [changed]}, policy=house.api.policy)
    return house


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ({}, "so this is a correction. Give --reason"),
        ({WHY: "  "}, "so this is a correction. Give --reason"),
        ({WHO: "an analyst"}, "so this is a correction. Give --reason"),
        ({WHY: "the provider erred"}, f"says why ({WHY}) and not who asks for it"),
    ],
)
def test_a_correction_without_why_and_who_publishes_nothing(
    archived: House, tags: dict[str, str], wanted: str
) -> None:
    ran = archived.run(tags=tags)
    assert wanted in ran.failure
    assert ran.run.tags["esg/permanent"] == "true"
    published = archived.published()
    assert published is not None
    assert published.version == 1
    assert archived.entries() == 3


def test_a_correction_with_both_is_the_next_version_and_says_so_in_the_chain(archived: House) -> None:
    ran = archived.run(tags={WHY: "the provider erred", WHO: "an analyst"})
    assert ran.success
    published = archived.published()
    assert published is not None
    assert (published.version, published.reason, published.requested_by) == (
        2,
        "the provider erred",
        "an analyst",
    )
    assert archived.report()["ACC-00002"]["overall_esg_score"] == "70"
