"""What lifecycle tests add to records: the working window, and looking into archives."""

import datetime as dt
import io
import tarfile

from esg_assets.adapters.publications import PublishedReports, WorkingWindow
from esg_assets.adapters.working_data import KeptWork
from esg_assets.core.ports import Envelope
from esg_assets.core.publication import Publication
from esg_assets_tests.adapters.records_material import WHEN, Records, to_recipients
from esg_assets_tests.adapters.work_material import working_envelope

DAYS = 35
AFTER = WHEN + dt.timedelta(days=DAYS)
"""The moment in which the window of what was published at WHEN ends."""


def kept(house: Records) -> KeptWork:
    return KeptWork(house.work, working_envelope(), "test", house.snapshots())


def window(house: Records, now: dt.datetime = AFTER) -> WorkingWindow:
    return WorkingWindow(
        house.records,
        to_recipients(),
        kept(house),
        house.working(),
        house.chain(),
        working_days=DAYS,
        now=lambda: now,
    )


def work_names(house: Records) -> list[str]:
    """What the work store holds, beside its id."""
    return [name for name in house.work.keys("") if name != "store_id"]


def archive_of(house: Records, publication: Publication, envelope: Envelope) -> dict[str, bytes]:
    """Members of a version's archive by name, opened by a recipient."""
    reports = PublishedReports(house.records, house.reader())
    found: dict[str, bytes] = {}
    (version,) = [each for each in reports.list() if each.sequence == publication.sequence]
    for stored in version.archived:
        with (
            house.records.open(stored.key) as sealed,
            envelope.open(sealed, version.context("archive")) as source,
        ):
            data = source.read()
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar:
                file = tar.extractfile(member)
                assert file is not None
                found[member.name] = file.read()
    return found
