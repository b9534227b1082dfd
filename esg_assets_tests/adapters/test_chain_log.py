"""The chain in a store: one unbroken chain whoever writes, and nothing unverified is believed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esg_assets.adapters.chain_log import ChainLog
from esg_assets.adapters.keys.keyring import VerifyKey
from esg_assets.adapters.stores.local import LocalStore
from esg_assets.core.chain import key_of
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import KeyExists, Refused, SettingsWrong, StoreUnavailable, Tampered
from esg_assets.core.examination import Head
from esg_assets.core.ports import ObjectStore
from esg_assets.core.record_ports import Chain
from esg_assets_tests.adapters.chain_writers import chain_in, publish
from esg_assets_tests.adapters.records_material import WHEN, keyring, signer, signing_key
from esg_assets_tests.fakes import MemoryStore
from esg_assets_tests.unit.chain_material import publish_body, summary_body


@pytest.fixture(params=["memory", "local"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return MemoryStore() if request.param == "memory" else LocalStore(tmp_path / "records")


def as_port(store: ObjectStore) -> Chain:
    """The adapter as the port that it implements: mypy holds it."""
    return chain_in(store)


def test_a_new_chain_is_empty_and_reading_it_writes_nothing(store: ObjectStore) -> None:
    chain = chain_in(store)
    assert (chain.entries(), chain.head(), chain.publications()) == ((), Head(), [])
    examined = chain.examine()
    assert (examined.faults, examined.taken) == ([], 0)
    assert list(store.keys("")) == []


def test_what_is_appended_is_read_by_another_process(store: ObjectStore) -> None:
    chain = as_port(store)
    first = publish(chain)
    second = chain.append(Kind.SUMMARY, summary_body(), recorded_at=WHEN)
    third = publish(chain)
    reader = chain_in(store, seed=None)
    assert reader.entries() == (first, second, third)
    assert [each.sequence for each in reader.entries()] == [1, 2, 3]
    assert (third.link.previous, third.recorded_at) == (second.sha256, WHEN)
    assert reader.head() == chain.head() == Head(3, third.sha256)
    assert list(store.keys("")) == [*(key_of(n) for n in (1, 2, 3)), "store_id"]


def test_the_latest_publication_of_a_date_is_its_highest_version(store: ObjectStore) -> None:
    chain = chain_in(store)
    for date in ("2026-01-15", "2026-01-16", "2026-01-15"):
        publish(chain, date)
    chain.append(Kind.SUMMARY, summary_body(version=1), recorded_at=WHEN)
    found = [(str(p.date), p.version, p.sequence, p.summary is not None) for p in chain.publications()]
    assert found == [("2026-01-15", 1, 1, True), ("2026-01-16", 1, 2, False), ("2026-01-15", 2, 3, False)]
    published = chain.publications()[0]
    latest = chain.latest_publication(published.date)
    assert latest is not None
    assert (latest.version, latest.entry_sha256) == (2, chain.entries()[2].sha256)
    assert chain.latest_publication(WHEN.date().replace(year=2027)) is None


def test_a_re_sealed_report_is_opened_where_its_reseal_entry_says(store: ObjectStore) -> None:
    chain = chain_in(store)
    publish(chain)
    body = publish_body(object={"key": "reports/2026-01-15/cc.csv.esdk", "bytes": 9, "sha256": "cc" * 32})
    wanted = ("date", "version", "counts", "commitment", "object", "salt", "requested_by", "reason")
    reseal = {
        **{name: body[name] for name in wanted},
        "summary": None,
        "archived": [],
        "recipients": ["e9" * 32],
    }
    chain.append(Kind.RESEAL, reseal, recorded_at=WHEN)
    [published] = chain.publications()
    assert (published.report.key, published.recipients) == ("reports/2026-01-15/cc.csv.esdk", ("e9" * 32,))
    assert (published.sequence, published.version) == (1, 1)


def test_who_has_no_key_cannot_write(store: ObjectStore) -> None:
    with pytest.raises(SettingsWrong, match="ESG_SIGNING_KEY"):
        publish(chain_in(store, seed=None))
    assert list(store.keys("")) == []


def test_a_key_that_verification_does_not_know_writes_nothing(store: ObjectStore) -> None:
    publish(chain_in(store))
    with pytest.raises(SettingsWrong, match="ESG_VERIFY_KEYS does not hold the public half"):
        publish(chain_in(store, seed=2))
    expired = keyring(VerifyKey(signing_key().public_key(), last=1))
    with pytest.raises(SettingsWrong, match="entry 2 of the chain"):
        publish(ChainLog(store, signer(), expired, "test"))
    assert len(chain_in(store).entries()) == 1


def test_a_key_can_be_followed_by_another(store: ObjectStore) -> None:
    both = keyring(
        VerifyKey(signing_key(1).public_key(), last=1), VerifyKey(signing_key(2).public_key(), first=2)
    )
    publish(ChainLog(store, signer(1), both, "test"))
    publish(ChainLog(store, signer(2), both, "test"))
    assert [each.key_name for each in ChainLog(store, None, both, "test").entries()] == [
        signer(1).name,
        signer(2).name,
    ]
    with pytest.raises(SettingsWrong):
        publish(ChainLog(store, signer(1), both, "test"))


def test_what_would_not_verify_is_not_written(store: ObjectStore) -> None:
    chain = chain_in(store)
    with pytest.raises(Refused, match="version 2 stands where version 1 is due"):
        chain.append(Kind.PUBLISH, publish_body(version=2), recorded_at=WHEN)
    with pytest.raises(Refused, match="never published"):
        chain.append(Kind.SUMMARY, summary_body(), recorded_at=WHEN)
    with pytest.raises(ValueError, match="rows"):
        chain.append(Kind.PUBLISH, publish_body(rows=1), recorded_at=WHEN)
    assert list(store.keys("chain/")) == []


def test_a_store_of_another_environment_is_refused(store: ObjectStore) -> None:
    publish(chain_in(store))
    for use in (ChainLog.entries, ChainLog.head, publish):
        with pytest.raises(Refused, match="belongs to the environment 'test', this is 'prod'"):
            use(chain_in(store, environment="prod"))


def _altered(data: bytes) -> bytes:
    return data.replace(b'"FAILED":2', b'"FAILED":3').replace(b'"SUCCESS":90', b'"SUCCESS":89')


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (
            lambda o: o.update({key_of(2): _altered(o[key_of(2)])}),
            "entry 2, report 2026-01-15 version 2: the",
        ),
        (lambda o: o.pop(key_of(2)), "entry 2: the entry is missing"),
        (lambda o: o.update({key_of(2): b""}), "entry 2: the entry is empty"),
        (lambda o: o.update({key_of(4): b""}), "entry 4: the entry is empty"),
        (
            lambda o: o.update({key_of(3): o[key_of(2)]}),
            "entry 3, report 2026-01-15 version 2: .*made as entry 2",
        ),
        (lambda o: o.update({"chain/extra": b"x"}), r"the records: 1 object\(s\) in the chain's folder"),
    ],
)
def test_nothing_is_read_or_added_when_the_chain_is_damaged(
    damage: Callable[[dict[str, bytes]], object], what: str
) -> None:
    store = MemoryStore()
    chain = chain_in(store)
    for _ in range(3):
        publish(chain)
    damage(store.objects)
    before = dict(store.objects)
    for use in (ChainLog.entries, ChainLog.head, ChainLog.publications, publish):
        with pytest.raises(Tampered, match=what):
            use(chain_in(store))
    assert store.objects == before
    assert [str(fault) for fault in chain_in(store).examine().faults] != []


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_a_process_that_has_read_the_chain_notices_when_an_entry_goes(gone: int) -> None:
    store = MemoryStore()
    chain = chain_in(store)
    for _ in range(3):
        publish(chain)
    del store.objects[key_of(gone)]
    with pytest.raises(Tampered):
        publish(chain)


def test_without_the_stores_id_nothing_is_believed_and_no_new_one_is_made() -> None:
    store = MemoryStore()
    publish(chain_in(store))
    identity = store.objects.pop("store_id")
    for use in (ChainLog.entries, ChainLog.place, publish):
        with pytest.raises(Tampered, match="store_id is gone"):
            use(chain_in(store))
    assert [str(f) for f in chain_in(store).examine().faults] == [
        "the records: the object store_id is missing"
    ]
    store.objects["store_id"] = identity[:-1]
    with pytest.raises(Tampered, match="damaged"):
        publish(chain_in(store))
    assert [str(f) for f in chain_in(store).examine().faults] == [
        "the records: the object store_id is damaged"
    ]


def test_a_chain_under_another_stores_id_is_named_whole() -> None:
    one, other = MemoryStore(), MemoryStore()
    publish(chain_in(one))
    other.objects = {key: data for key, data in one.objects.items() if key != "store_id"}
    other.create("store_id", one.objects["store_id"].replace(b'"store":"', b'"store":"ff')[:-4] + b'"}')
    [fault] = chain_in(other).examine().faults
    assert (fault.sequence, fault.what) == (1, "the entry was made for another store")


class CountingStore(MemoryStore):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_keys: list[str] = []

    def read(self, key: str) -> bytes:
        self.read_keys.append(key)
        return super().read(key)


def test_an_entry_is_read_and_verified_once() -> None:
    store = CountingStore()
    writer, reader = chain_in(store), chain_in(store)
    for _ in range(20):
        publish(writer)
    assert len(reader.entries()) == 20
    store.read_keys.clear()
    assert len(reader.publications()) == len(writer.publications()) == 20
    assert store.read_keys == []
    publish(writer)
    assert (len(reader.entries()), store.read_keys) == (21, [key_of(21)])


class AnswerlessStore(MemoryStore):
    """Takes a chain entry, and then says what a client sees whose answer was lost."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error: Exception | None = error

    def create(self, key: str, data: bytes) -> None:
        super().create(key, data)
        if key.startswith("chain/") and self._error:
            error, self._error = self._error, None
            raise error


def test_ones_own_entry_found_on_a_repeated_request_is_ones_own() -> None:
    chain = chain_in(AnswerlessStore(KeyExists("there is one")))
    assert publish(chain, only=1).sequence == 1
    assert publish(chain, only=2).sequence == 2


def test_an_entry_whose_answer_was_lost_is_in_the_chain_for_the_next_one() -> None:
    chain = chain_in(AnswerlessStore(StoreUnavailable("no answer")))
    with pytest.raises(StoreUnavailable):
        publish(chain)
    assert publish(chain).body["version"] == 2


class BlindStore(MemoryStore):
    """Says that an entry exists and never lists it."""

    def create(self, key: str, data: bytes) -> None:
        if key.startswith("chain/"):
            raise KeyExists("there is one")
        super().create(key, data)


def test_a_store_that_contradicts_itself_does_not_hold_us_for_ever() -> None:
    with pytest.raises(StoreUnavailable, match="entry 1 of the chain"):
        publish(chain_in(BlindStore()))


class FlickeringStore(MemoryStore):
    """Once lists the later of two entries without the earlier one, as a folder in use may."""

    def __init__(self) -> None:
        super().__init__()
        self.hide: str | None = None

    def keys(self, prefix: str) -> Iterator[str]:
        hidden, self.hide = self.hide, None
        return (key for key in super().keys(prefix) if key != hidden)


def test_a_listing_taken_while_others_write_is_taken_again() -> None:
    store = FlickeringStore()
    for _ in range(3):
        publish(chain_in(store))
    reader = chain_in(store)
    store.hide = key_of(2)
    assert len(reader.entries()) == 3
    store.hide = key_of(2)
    assert chain_in(store).examine().faults == []
