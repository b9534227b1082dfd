"""Attacks on the chain: entries edited, taken away, moved, and made by others."""

import dataclasses
import itertools
import json
from collections.abc import Iterator
from typing import Any

from esg_assets.core import canonical_json, chain
from esg_assets.core.chain import Entry, Link
from esg_assets.core.examination import Head
from esg_assets.core.store_identity import StoreIdentity
from esg_assets_tests.adapters.records_material import WHEN, signer
from esg_assets_tests.attacks.material import Attack, Case, Ground, dice
from esg_assets_tests.attacks.on_reports import sealed

ENTRIES = 6
OUTSIDER = 2
"""Seed of a signing key that no keyring knows."""


def _entries(ground: Ground) -> dict[int, bytes]:
    return {sequence: ground.good[chain.key_of(sequence)] for sequence in range(1, ENTRIES + 1)}


def _entry(sequence: int, data: bytes | None, at: frozenset[int] | None = None) -> Case:
    return Case({chain.key_of(sequence): data}, at or frozenset({sequence}))


def flips(ground: Ground) -> Iterator[Case]:
    """Single bits anywhere in the entries."""
    entries = _entries(ground)
    bits = [(sequence, bit) for sequence, data in entries.items() for bit in range(len(data) * 8)]
    for sequence, bit in dice("entries").sample(bits, 1_000):
        copy = bytearray(entries[sequence])
        copy[bit // 8] ^= 1 << bit % 8
        yield _entry(sequence, bytes(copy))


def edited(ground: Ground) -> Iterator[Case]:
    """Fields of entry 5 changed, the rest and the signature kept: numbers raised, texts altered."""
    lines = _entries(ground)[ground.victim.sequence].split(b"\n")
    for path in _leaves(json.loads(lines[0])):
        payload = json.loads(lines[0])
        holder = payload
        for name in path[:-1]:
            holder = holder[name]
        value = holder[path[-1]]
        holder[path[-1]] = value + 1 if isinstance(value, int) else _altered(value)
        yield _entry(ground.victim.sequence, canonical_json.dumps(payload) + b"\n" + lines[1] + b"\n")


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, (dict, list)):
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(each, (*path, name))
    else:
        yield path


def _altered(text: str) -> str:
    """Another text of the same form."""
    return text[:-1] + {"0": "1", "Z": "z"}.get(text[-1:], "0")


def removed(ground: Ground) -> Iterator[Case]:
    """Each entry but the last."""
    del ground
    return (_entry(sequence, None) for sequence in range(1, ENTRIES))


def emptied(ground: Ground) -> Iterator[Case]:
    """Each entry with zero bytes, and a new one."""
    del ground
    return (_entry(sequence, b"") for sequence in range(1, ENTRIES + 2))


def exchanged(ground: Ground) -> Iterator[Case]:
    """Each pair of entries in each other's place."""
    entries = _entries(ground)
    for one, other in itertools.combinations(entries, 2):
        changes = {chain.key_of(one): entries[other], chain.key_of(other): entries[one]}
        yield Case(changes, frozenset({one, other}))


def repeated(ground: Ground) -> Iterator[Case]:
    """Each entry once more at the end."""
    return (_entry(ENTRIES + 1, data) for data in _entries(ground).values())


def padded(ground: Ground) -> Iterator[Case]:
    """Each entry with something behind it, or written in another way that means the same."""
    for sequence, data in _entries(ground).items():
        for other in (data + b"\n", data + data, data.replace(b"\n", b"\r\n"), data[:-1]):
            yield _entry(sequence, other)
        payload, line, _ = data.split(b"\n")
        yield _entry(sequence, json.dumps(json.loads(payload)).encode() + b"\n" + line + b"\n")


def forged(ground: Ground) -> Iterator[Case]:
    """Entries of an outsider's report, who has every public key and none that signs.

    In the victim's place and as the next one; under the outsider's own name, under the true key's,
    with the signature of the genuine entry, and with none.
    """
    report = sealed(b"forged", ground.victim.context("report"))
    genuine = chain.decode(_entries(ground)[ground.victim.sequence])
    last = _entries(ground)[ENTRIES]
    for sequence, link in (
        (genuine.sequence, genuine.link),
        (ENTRIES + 1, Link(ENTRIES + 1, chain.decode(last).sha256)),
    ):
        for line in ("own name", "true name", "genuine signature", "no signature"):
            body = {**genuine.body, "run_id": "forged", "version": 2 if sequence == genuine.sequence else 3}
            made = _signed(genuine, body, link, OUTSIDER)
            yield Case(
                {chain.key_of(sequence): _with(made, line, genuine), ground.victim.report.key: report},
                frozenset({sequence}),
            )


def _signed(like: Entry, body: dict[str, Any], link: Link, seed: int) -> bytes:
    return chain.encode(
        like.kind,
        body,
        place=like.place,
        link=link,
        recorded_at=WHEN,
        software=like.software,
        signer=signer(seed),
    )


def _with(made: bytes, line: str, genuine: Entry) -> bytes:
    payload, signature, _ = made.split(b"\n")
    fields = json.loads(signature)
    if line == "true name":
        fields["key"] = genuine.key_name
    elif line == "genuine signature":
        import base64  # noqa: PLC0415 - only here

        fields = {"key": genuine.key_name, "signature": base64.b64encode(genuine.signature).decode()}
    elif line == "no signature":
        fields["signature"] = ""
    return payload + b"\n" + canonical_json.dumps(fields) + b"\n"


def strangers(ground: Ground) -> Iterator[Case]:
    """Entries that the right key signed for another store, environment or number, in each one's place."""
    for sequence, data in _entries(ground).items():
        entry = chain.decode(data)
        places = StoreIdentity("prod", entry.place.store), StoreIdentity("test", "0" * 32)
        for place in places:
            of_there = dataclasses.replace(entry, place=place)
            yield _entry(sequence, _signed(of_there, dict(entry.body), entry.link, 1))
        link = Link(sequence + 1, entry.link.previous)
        yield _entry(sequence, _signed(entry, dict(entry.body), link, 1))


def without_store_id(ground: Ground) -> Iterator[Case]:
    """The store's id removed, emptied, of another store, of another environment."""
    data = ground.good["store_id"]
    value = json.loads(data)
    others = [
        *(None, b"", data[:-1]),
        canonical_json.dumps({**value, "store": "0" * 32}),
    ]
    return (Case({"store_id": other}, frozenset(range(ENTRIES + 1))) for other in others)


def cut_off(ground: Ground) -> Iterator[Case]:
    """The last entries gone, one to six; a reader who has noted the head sees it."""
    head = _head(ground)
    for left in range(ENTRIES):
        gone = {chain.key_of(sequence): None for sequence in range(left + 1, ENTRIES + 1)}
        yield Case(gone, frozenset({ENTRIES}), head=head, opens=left >= ground.victim.sequence)


def rewritten(ground: Ground) -> Iterator[Case]:
    """From each entry on, made again with another time by somebody who holds the signing key."""
    entries = _entries(ground)
    for first in entries:
        changes: dict[str, bytes | None] = {}
        previous = chain.decode(entries[first]).link.previous
        for sequence in range(first, ENTRIES + 1):
            like = chain.decode(entries[sequence])
            made = _signed(like, dict(like.body), Link(sequence, previous), 1)
            if sequence == first:  # whatever is changed in it
                made = _signed(like, {**like.body, **_otherwise(like)}, Link(sequence, previous), 1)
            changes[chain.key_of(sequence)], previous = made, chain.decode(made).sha256
        yield Case(changes, frozenset({ENTRIES}), head=_head(ground), opens=True)


def _otherwise(entry: Entry) -> dict[str, Any]:
    if "run_id" in entry.body:
        return {"run_id": "another"}
    return {"recipients": list(entry.body["recipients"])[:1]}


def _head(ground: Ground) -> Head:
    return Head(ENTRIES, chain.decode(_entries(ground)[ENTRIES]).sha256)


def attacks() -> list[Attack]:
    """On a chain of six entries."""
    return [
        Attack("one bit of an entry flipped", flips, 1_000, 200, alone=False),
        Attack("one field of an entry edited", edited, 34, 34, alone=False),
        Attack("an entry removed from the middle", removed, ENTRIES - 1, ENTRIES - 1, alone=False),
        Attack("an entry of zero bytes", emptied, ENTRIES + 1, ENTRIES + 1, alone=False),
        Attack("two entries exchanged", exchanged, 15, 15, alone=False),
        Attack("an old entry again at the end", repeated, ENTRIES, ENTRIES, alone=False),
        Attack("an entry padded or written otherwise", padded, 5 * ENTRIES, 5 * ENTRIES, alone=False),
        Attack("an outsider's report with a forged entry", forged, 8, 8, alone=False),
        Attack(
            "an entry of another store, environment or number",
            strangers,
            3 * ENTRIES,
            3 * ENTRIES,
            alone=False,
        ),
        Attack("the store's id gone, damaged or exchanged", without_store_id, 4, 4, alone=False),
        Attack("the end cut off (seen with a noted head)", cut_off, ENTRIES, ENTRIES, alone=False),
        Attack(
            "rewritten by a holder of the signing key (seen with a noted head)",
            rewritten,
            ENTRIES,
            ENTRIES,
            alone=False,
        ),
    ]
