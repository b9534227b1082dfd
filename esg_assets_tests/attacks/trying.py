"""Carrying attacks out: what a reader and an auditor meet, case by case."""

import contextlib
import functools
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aws_cryptography_primitives.internaldafny.extern import (  # type: ignore[import-untyped]  # ships no types
    RSAEncryption,
)

from esg_assets.adapters.decrypted_file import decrypt_to
from esg_assets.adapters.publications import PublishedReports
from esg_assets.core.errors import KeyMissing, Refused
from esg_assets_tests.adapters.records_material import opener
from esg_assets_tests.attacks.material import Attack, Case, Ground
from esg_assets_tests.attacks.names_seen import NamesSeen

OPENER = opener()


@dataclass
class Count:
    """Of one attack on one ground: how many cases were tried, and how many refused in every way."""

    attack: str
    on: str
    tried: int = 0
    refused: int = 0


def carry_out(attack: Attack, ground: Ground, folder: Path, *, full: bool) -> Count:
    """Try its cases, all of them or the sample; raises AssertionError at the first that succeeds.

    Args:
        attack: what is tried.
        ground: on what.
        folder: empty; the reader's.
        full: all cases.
    """
    count = Count(attack.what, ground.name)
    with key_loaded_once(), NamesSeen(folder) as names:
        for case in attack.chosen(ground, full=full):
            count.tried += 1
            with _in_place(ground, case):
                _assert_refused(ground, case, folder, names, alone=attack.alone)
            count.refused += 1
    return count


@contextlib.contextmanager
def key_loaded_once() -> Iterator[None]:
    """The library loads and checks a private key for every message: 0.1 s, 20 times all the rest."""
    once = functools.cache(RSAEncryption.load_pem_private_key)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RSAEncryption, "load_pem_private_key", once)
        yield


@contextlib.contextmanager
def _in_place(ground: Ground, case: Case) -> Iterator[None]:
    objects = ground.store.objects
    for key, data in case.objects.items():
        if data is None:
            objects.pop(key, None)
        else:
            assert data != ground.good.get(key), "nothing was attacked"
            objects[key] = data
    try:
        yield
    finally:
        objects.clear()
        objects.update(ground.good)


def _assert_refused(ground: Ground, case: Case, folder: Path, names: NamesSeen, *, alone: bool) -> None:
    out = folder / "report.csv"
    if case.opens:
        _open(ground, out)
        assert out.read_bytes() == ground.text
        assert out.name in names.taken(), "the watch sees nothing"
        out.unlink()
    else:
        assert _refusal(ground, out), "it was opened"
        assert out.name not in names.taken(), "the report had its name for a moment"
    assert list(folder.iterdir()) == []
    if alone:
        _assert_does_not_open(ground, case)
    judged = PublishedReports(ground.store, ground.house.reader()).verify(expect_head=case.head)
    assert not judged.ok
    named = [fault for fault in judged.faults if fault.sequence in case.at]
    assert named, judged.faults
    if case.at == {ground.victim.sequence} and ground.victim.report.key in case.objects:
        told = {(fault.date, fault.version) for fault in named}
        assert told == {(ground.victim.date.isoformat(), ground.victim.version)}


def _open(ground: Ground, out: Path) -> None:
    """As `esg-assets report decrypt --date D --version N` does."""
    reports = PublishedReports(ground.store, ground.house.reader())
    publication = reports.version(ground.victim.date, ground.victim.version)
    decrypt_to(out, reports.open_report(publication, OPENER))


def _refusal(ground: Ground, out: Path) -> str:
    try:
        _open(ground, out)
    except (Refused, KeyMissing) as refused:
        return str(refused)
    return ""


def _assert_does_not_open(ground: Ground, case: Case) -> None:
    """The message by itself: context, frames and signature, without the chain's digest."""
    data = case.objects[ground.victim.report.key]
    assert data is not None
    context = ground.victim.context("report")
    try:
        with OPENER.open(io.BytesIO(data), context) as source:
            while source.read(1 << 20):
                pass
    except Refused:
        return
    raise AssertionError("the message alone opens")
