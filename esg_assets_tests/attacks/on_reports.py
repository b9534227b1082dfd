"""Attacks on a published report: its sealed object altered, or another in its place."""

import itertools
from collections.abc import Iterator

from esg_assets.core import chain, orphans
from esg_assets.core.ports import Context
from esg_assets_tests.adapters.records_material import to_recipients
from esg_assets_tests.attacks.material import Attack, Case, Ground, dice
from esg_assets_tests.attacks.message import Message, renumbered
from esg_assets_tests.fakes import MemoryStore

FLIPS = {"header": 300, "frames": 500, "footer": 200}
CUT = 200


def flips(ground: Ground) -> Iterator[Case]:
    """Single bits: 300 of the header, 500 of the frames, 200 of the signature behind them."""
    data, message = ground.report, Message.of(ground.report)
    frames, footer = len(message.header), len(data) - len(message.footer)
    places = {"header": range(frames), "frames": range(frames, footer), "footer": range(footer, len(data))}
    for part, count in FLIPS.items():
        bits = range(places[part].start * 8, places[part].stop * 8)
        for bit in dice(f"{ground.name} {part}").sample(bits, count):
            copy = bytearray(data)
            copy[bit // 8] ^= 1 << bit % 8
            yield ground.of_report(bytes(copy))


def truncations(ground: Ground) -> Iterator[Case]:
    """Cut off at every one of the last 200 bytes."""
    return (ground.of_report(ground.report[:-count]) for count in range(1, CUT + 1))


def beginnings(ground: Ground) -> Iterator[Case]:
    """Nothing, or the beginning alone: cut at the ends of the pieces, and in the middle."""
    message = Message.of(ground.report)
    ends = [0, 1, len(message.header) // 2, len(message.header), len(ground.report) // 2]
    return (ground.of_report(ground.report[:end]) for end in ends)


def swapped_frames(ground: Ground) -> Iterator[Case]:
    """Each pair of frames exchanged as they are; of the full ones also with their numbers put right."""
    message = Message.of(ground.report)
    for one, other in itertools.combinations(range(len(message.frames)), 2):
        frames = list(message.frames)
        frames[one], frames[other] = frames[other], frames[one]
        yield ground.of_report(message.with_frames(frames))
        if other < len(frames) - 1:
            frames[one] = renumbered(frames[one], one + 1)
            frames[other] = renumbered(frames[other], other + 1)
            yield ground.of_report(message.with_frames(frames))


def duplicated_frames(ground: Ground) -> Iterator[Case]:
    """Each frame twice; of the full ones also with the later frames renumbered."""
    message = Message.of(ground.report)
    for at, frame in enumerate(message.frames):
        frames = [*message.frames[: at + 1], frame, *message.frames[at + 1 :]]
        yield ground.of_report(message.with_frames(frames))
        if at < len(message.frames) - 1:
            yield ground.of_report(message.with_frames(_in_order(frames)))


def removed_frames(ground: Ground) -> Iterator[Case]:
    """Each frame left out; of the full ones also with the later frames renumbered."""
    message = Message.of(ground.report)
    for at in range(len(message.frames)):
        frames = [*message.frames[:at], *message.frames[at + 1 :]]
        yield ground.of_report(message.with_frames(frames))
        if at < len(message.frames) - 1:
            yield ground.of_report(message.with_frames(_in_order(frames)))


def _in_order(frames: list[bytes]) -> list[bytes]:
    return [*(renumbered(frame, n) for n, frame in enumerate(frames[:-1], start=1)), frames[-1]]


def appended(ground: Ground) -> Iterator[Case]:
    """Something behind the message."""
    message = Message.of(ground.report)
    behind = [
        *(b"\0", b"\n", b"\0" * 16, b"\xff" * 4, b"ACC-0000001,99\r\n", b"\0" * (1 << 20)),
        *(message.footer, message.frames[-1], message.frames[-1] + message.footer, ground.report),
    ]
    return (ground.of_report(ground.report + each) for each in behind)


def others_objects(ground: Ground) -> Iterator[Case]:
    """Every other sealed object of the store in its place: other dates, versions, salts, summaries."""
    names = [key for key in ground.good if key.endswith(".esdk") and key != ground.victim.report.key]
    return (ground.of_report(ground.good[key]) for key in sorted(names))


def objects_beside(ground: Ground) -> Iterator[Case]:
    """Every other object that an entry names, of every kind: one bit flipped, cut, empty, another's, gone.

    The report itself is the genuine one; `verify` names the entry whose object was attacked.
    """
    named = _sequences(ground)
    beside = sorted(named.keys() - {ground.victim.report.key})
    for number, key in enumerate(beside):
        data, bit = bytearray(ground.good[key]), dice(key).randrange(len(ground.good[key]) * 8)
        data[bit // 8] ^= 1 << bit % 8
        another = ground.good[beside[number - 1]]
        for other in (bytes(data), ground.good[key][:-1], b"", another, None):
            yield Case({key: other}, frozenset({named[key]}), opens=True)


def _sequences(ground: Ground) -> dict[str, int]:
    """The number of the entry that names each object."""
    found: dict[str, int] = {}
    for key, data in ground.good.items():
        if key.startswith("chain/"):
            entry = chain.decode(data)
            found |= dict.fromkeys(orphans.named_keys([entry]), entry.sequence)
    return {key: sequence for key, sequence in found.items() if key in ground.good}


def other_contexts(ground: Ground) -> Iterator[Case]:
    """The same text sealed to the same recipients, for a place that differs in one field, or lacks it."""
    genuine = dict(ground.victim.context("report"))
    elsewhere = {
        "environment": "prod",
        "store": "0" * 32,
        "kind": "summary",
        "partition": "2026-01-16",
        "version": "1",
        "part": "1",
        "snapshot": "0" * 64,
        "as_of": "2026-01-13",
    }
    for name, value in elsewhere.items():
        yield ground.of_report(sealed(ground.text, {**genuine, name: value}))
        yield ground.of_report(sealed(ground.text, {n: v for n, v in genuine.items() if n != name}))
    of_work = {**genuine, "generation": genuine["version"], "kind": "part"}
    yield ground.of_report(sealed(ground.text, of_work))


def outsiders(ground: Ground) -> Iterator[Case]:
    """Sealed by somebody who knows the public keys and the context: nothing of both is secret."""
    context = ground.victim.context("report")
    for text in (ground.text, b"", ground.text[:-1], ground.text.replace(b",7\r\n", b",8\r\n")):
        yield ground.of_report(sealed(text, context))


def twins(ground: Ground) -> Iterator[Case]:
    """The message with the twin of its ECDSA signature, which is as valid as the signature."""
    yield ground.of_report(Message.of(ground.report).with_the_other_signature())


def sealed(text: bytes, context: Context) -> bytes:
    """What anybody can make with the public keys."""
    store = MemoryStore()
    with store.writer("report") as sink, to_recipients().seal(sink, context) as plain:
        plain.write(text)
    return store.objects["report"]


def attacks(frames: int) -> list[Attack]:
    """On a report of so many frames."""
    full = frames - 1
    pairs = frames * full // 2 + full * (full - 1) // 2
    small = frames == 1
    several = [
        Attack("two frames exchanged", swapped_frames, pairs, min(pairs, 3)),
        Attack("a frame twice", duplicated_frames, frames + full, 2),
    ]
    return [
        Attack("one bit flipped (header 300, frames 500, footer 200)", flips, 1_000, 80 if small else 10),
        Attack("cut off at each of the last 200 bytes", truncations, CUT, 20 if small else 4),
        Attack("cut off earlier, or empty", beginnings, 5, 5 if small else 1),
        *([] if small else several),
        Attack("a frame left out", removed_frames, frames + full, 1 if small else 2),
        Attack("bytes behind it", appended, 10, 10 if small else 2),
        Attack("another sealed object of the store in its place", others_objects, 9, 9 if small else 1),
        Attack(
            "an object beside it altered, emptied, exchanged or gone",
            objects_beside,
            45,
            45 if small else 5,
            alone=False,
        ),
        Attack("sealed for a place that differs in one field", other_contexts, 17, 17 if small else 1),
        Attack("sealed by an outsider to the same keys", outsiders, 4, 4 if small else 1, alone=False),
        Attack("its signature's twin", twins, 1, 1, alone=False),
    ]
