"""Judging a chain: every attack on it is named, where it is, and nothing else is blamed."""

import random
from collections.abc import Sequence

import pytest

from esg_assets.core import canonical_json, chain, key_rules
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.examination import Examination, Fault, Head, examine, head_fault
from esg_assets.core.store_identity import StoreIdentity
from esg_assets_tests.unit.chain_material import (
    KEYRING,
    PLACE,
    SIGNER,
    SeededKeyring,
    SeededSigner,
    entry,
    grow,
    ordinary_chain,
    publish_body,
    summary_body,
)

CHAIN = ordinary_chain()
DATES = ["2026-01-15", "2026-01-15", "2026-01-16", "2026-01-16", "2026-01-15"]
VERSIONS = [1, 1, 1, 1, 2]


def faults_of(objects: Sequence[bytes], keyring: SeededKeyring = KEYRING) -> list[Fault]:
    return examine(enumerate(objects, start=1), PLACE, keyring)[1]


def changed(position: int, data: bytes) -> list[bytes]:
    return [data if i == position else each for i, each in enumerate(CHAIN)]


def test_a_chain_as_it_was_written_has_no_fault() -> None:
    entries, faults = examine(enumerate(CHAIN, start=1), PLACE, KEYRING)
    assert faults == []
    assert [each.sequence for each in entries] == [1, 2, 3, 4, 5]


def test_an_empty_chain_has_no_fault_and_the_head_zero() -> None:
    examination = Examination(PLACE, KEYRING)
    assert (examination.entries, examination.faults) == ([], [])
    assert str(examination.head) == f"0:{'0' * 64}"


def _assert_every_change_is_named(position: int, at: range, masks: Sequence[int]) -> None:
    good = CHAIN[position]
    for index in at:
        for mask in masks:
            data = bytearray(good)
            data[index] ^= mask
            faults = faults_of(changed(position, bytes(data)))
            assert [fault.sequence for fault in faults] == [position + 1], (index, mask)


@pytest.mark.parametrize("position", range(5))
def test_a_change_of_any_byte_of_any_entry_is_named_at_that_entry_alone(position: int) -> None:
    rng = random.Random(position)
    for index in range(len(CHAIN[position])):
        _assert_every_change_is_named(position, range(index, index + 1), [rng.randrange(1, 256)])


@pytest.mark.proof
@pytest.mark.parametrize("position", range(5))
def test_every_single_bit_of_every_entry_counts(position: int) -> None:
    _assert_every_change_is_named(position, range(len(CHAIN[position])), [1 << bit for bit in range(8)])


@pytest.mark.parametrize("position", range(5))
def test_every_truncation_and_every_appended_byte_is_named(position: int) -> None:
    good = CHAIN[position]
    for length in range(len(good)):
        assert [f.sequence for f in faults_of(changed(position, good[:length]))] == [position + 1]
    for more in (b"\n", b" ", b"\0", good):
        assert [f.sequence for f in faults_of(changed(position, good + more))] == [position + 1]


def test_a_damaged_entry_is_still_named_by_date_and_version() -> None:
    for position, (date, version) in enumerate(zip(DATES, VERSIONS, strict=True)):
        [fault] = faults_of(changed(position, CHAIN[position][:-1]))
        assert (fault.date, fault.version, fault.sequence) == (date, version, position + 1)
        data = CHAIN[position].replace(b'"software":"0.1.0"', b'"software":"0.1.1"')
        [fault] = faults_of(changed(position, data))
        assert (fault.date, fault.version) == (date, version)
        assert fault.what == key_rules.WRONG_SIGNATURE


def test_a_zero_length_entry_is_named() -> None:
    [fault] = faults_of(changed(2, b""))
    assert fault == Fault(3, "the entry is empty (zero bytes)")
    assert str(fault) == "entry 3: the entry is empty (zero bytes)"


@pytest.mark.parametrize("position", range(4))
def test_a_removed_entry_is_named_as_missing(position: int) -> None:
    objects = [(i + 1, data) for i, data in enumerate(CHAIN) if i != position]
    assert examine(objects, PLACE, KEYRING)[1] == [Fault(position + 1, "the entry is missing")]


def test_a_hole_of_any_size_is_one_fault() -> None:
    _, faults = examine([(1, CHAIN[0]), (9_999_999_999, CHAIN[4])], PLACE, KEYRING)
    assert [(f.sequence, f.what) for f in faults] == [
        (2, "the entries 2 to 9999999998 are missing"),
        (9_999_999_999, "the entry stands here but was made as entry 5"),
    ]


@pytest.mark.parametrize(("one", "other"), [(i, j) for i in range(5) for j in range(i)])
def test_two_swapped_entries_are_both_named(one: int, other: int) -> None:
    objects = list(CHAIN)
    objects[one], objects[other] = objects[other], objects[one]
    faults = faults_of(objects)
    assert [f.sequence for f in faults] == [other + 1, one + 1]
    assert all("stands here but was made as entry" in f.what for f in faults)


def test_every_reordering_is_named() -> None:
    rng = random.Random(7)
    for _ in range(50):
        objects = list(CHAIN)
        rng.shuffle(objects)
        moved = [i + 1 for i, data in enumerate(objects) if data != CHAIN[i]]
        assert [f.sequence for f in faults_of(objects)] == moved


def test_a_repeated_entry_is_named() -> None:
    [fault] = faults_of([*CHAIN, CHAIN[4]])
    assert (fault.sequence, fault.date, fault.version) == (6, "2026-01-15", 2)


def judged(objects: Sequence[bytes]) -> Examination:
    examination = Examination(PLACE, KEYRING)
    for sequence, data in enumerate(objects, start=1):
        examination.take(sequence, data)
    return examination


def test_entries_cut_off_at_the_end_show_against_a_remembered_head() -> None:
    cut = judged(CHAIN[:3])
    assert cut.faults == []
    fault = head_fault(Head(5, chain.decode(CHAIN[4]).sha256), cut)
    assert fault is not None
    assert "ends at entry 3, before the expected entry 5" in fault.what
    assert head_fault(cut.head, cut) is None
    assert head_fault(Head(2, cut.entries[1].sha256), cut) is None
    assert head_fault(Head(), cut) is None
    fault = head_fault(Head(2, "00" * 32), cut)
    assert fault is not None
    assert "rewritten" in fault.what


def test_a_remembered_head_is_found_among_faulty_entries_too() -> None:
    no_longer_valid = Examination(PLACE, SeededKeyring().trust(SIGNER, range(1, 3)))
    for sequence, data in enumerate(CHAIN, start=1):
        no_longer_valid.take(sequence, data)
    assert [fault.sequence for fault in no_longer_valid.faults] == [3, 4, 5]
    assert head_fault(judged(CHAIN).head, no_longer_valid) is None


def test_an_entry_forged_with_another_key_is_named() -> None:
    head = Head(2, chain.decode(CHAIN[1]).sha256)
    body = publish_body("2026-01-16", 1)
    mallory = SeededSigner(9)
    forged = entry(Kind.PUBLISH, body, head, signer=mallory)
    [fault] = faults_of(changed(2, forged))
    assert (fault.sequence, fault.date, fault.version) == (3, "2026-01-16", 1)
    assert fault.what == key_rules.UNKNOWN_KEY
    mallory.name = SIGNER.name
    [fault] = faults_of(changed(2, entry(Kind.PUBLISH, body, head, signer=mallory)))
    assert (fault.sequence, fault.what) == (3, key_rules.WRONG_SIGNATURE)


def test_a_key_is_believed_only_at_the_sequences_it_is_valid_for() -> None:
    later = SeededSigner(2)
    assert faults_of(CHAIN, SeededKeyring().trust(SIGNER, range(1, 6)).trust(later, range(6, 10))) == []
    faults = faults_of(CHAIN, SeededKeyring().trust(SIGNER, range(1, 4)).trust(later, range(4, 10)))
    assert [f.sequence for f in faults] == [4, 5]


@pytest.mark.parametrize(
    ("place", "what"),
    [
        (StoreIdentity("prod", PLACE.store), "another environment"),
        (StoreIdentity(PLACE.environment, "cd" * 16), "another store"),
    ],
)
def test_an_entry_replayed_from_elsewhere_is_named(place: StoreIdentity, what: str) -> None:
    elsewhere = ordinary_chain(place)
    for position in range(5):
        [fault] = faults_of(changed(position, elsewhere[position]))
        assert (fault.sequence, fault.date) == (position + 1, DATES[position])
        assert what in fault.what
    assert [f.sequence for f in faults_of(elsewhere)] == [1, 2, 3, 4, 5]


def test_a_payload_moved_here_from_elsewhere_does_not_carry_its_signature() -> None:
    elsewhere = ordinary_chain(StoreIdentity("prod", PLACE.store))[0]
    payload, signature = elsewhere.split(b"\n")[:2]
    fields = canonical_json.loads(payload)
    fields["environment"] = "test"
    [fault] = faults_of(changed(0, canonical_json.dumps(fields) + b"\n" + signature + b"\n"))
    assert fault.what == key_rules.WRONG_SIGNATURE


def test_an_entry_that_follows_another_history_is_named() -> None:
    other = grow((Kind.PUBLISH, publish_body("2026-01-14", 1)), (Kind.SUMMARY, summary_body("2026-01-14", 1)))
    [fault] = faults_of([CHAIN[0], other[1]])
    assert (fault.sequence, fault.what) == (2, "the entry does not follow the one before it")


@pytest.mark.parametrize(
    ("version", "what"), [(1, "version 1 of this date is there already"), (3, "where version 2 is due")]
)
def test_a_version_twice_or_too_high_is_named(version: int, what: str) -> None:
    objects = grow((Kind.PUBLISH, publish_body(version=1)), (Kind.PUBLISH, publish_body(version=version)))
    [fault] = faults_of(objects)
    assert (fault.sequence, fault.date, fault.version) == (2, "2026-01-15", version)
    assert what in fault.what


def test_an_entry_about_a_report_that_was_never_published_is_named() -> None:
    hold = {"date": "2026-01-19", "requested_by": "x", "reason": "y"}
    objects = grow((Kind.PUBLISH, publish_body()), (Kind.SUMMARY, summary_body(version=2)), (Kind.HOLD, hold))
    # Only the first: after it the chain has a hole that might have held the publication.
    assert [str(f) for f in faults_of(objects)] == [
        "entry 2, report 2026-01-15 version 2: a summary entry for a report that was never published"
    ]


def test_an_unknown_schema_and_a_damaged_entry_are_told_apart() -> None:
    [fault] = faults_of(changed(1, CHAIN[1].replace(b'"schema":1', b'"schema":2')))
    assert "unknown schema" in fault.what
    [fault] = faults_of(changed(1, b"\xff" * 100))
    assert "not exactly two lines" in fault.what
