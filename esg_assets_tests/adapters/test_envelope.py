"""What is sealed opens for whom it should, for exactly its context, and only unaltered."""

import gc
import io
import random
import secrets

import pytest

from esg_assets.adapters.envelope import (
    FRAME_BYTES,
    RecipientEnvelope,
    WorkingEnvelope,
)
from esg_assets.core.errors import Refused, StoreUnavailable, Tampered
from esg_assets.core.ports import Envelope, RecipientKey, RecipientPrivateKey
from esg_assets_tests.adapters.sealed_messages import CONTEXT, changed, opened, recipient, sealed
from esg_assets_tests.measures import peak_memory_of

MIB = 1 << 20


@pytest.fixture(scope="module")
def pairs() -> list[tuple[RecipientKey, RecipientPrivateKey]]:
    return [recipient(), recipient(), recipient()]


@pytest.fixture(params=["working", "recipients"])
def envelope(
    request: pytest.FixtureRequest, pairs: list[tuple[RecipientKey, RecipientPrivateKey]]
) -> Envelope:
    if request.param == "working":
        return WorkingEnvelope(bytes(range(32)))
    return RecipientEnvelope([pairs[0][0], pairs[1][0]]).one_time()


SIZES = [0, 1, 1000, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 2 * FRAME_BYTES, 5 * MIB + 3]


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_opens_again(envelope: Envelope, size: int) -> None:
    plaintext = secrets.token_bytes(size)
    message = sealed(envelope, plaintext)
    assert opened(envelope, message) == plaintext
    assert plaintext[:64] not in message or size < 8
    with envelope.open(io.BytesIO(message), CONTEXT) as source:
        assert b"".join(iter(lambda: source.read(70_001), b"")) == plaintext


def test_however_it_is_written_and_read(envelope: Envelope) -> None:
    plaintext = secrets.token_bytes(2 * MIB + 5)
    out, rest, chance = io.BytesIO(), plaintext, random.Random(1)
    with envelope.seal(out, CONTEXT) as sink:
        while rest:
            piece = rest[: chance.choice([1, 0, 100, 65_536, MIB, MIB + 1])]
            assert sink.write(piece) == len(piece)
            rest = rest[len(piece) :]
    with envelope.open(io.BytesIO(out.getvalue()), CONTEXT) as source:
        start, end = source.read(MIB + 1), source.read()
        assert (len(start), source.read(), source.read(5)) == (MIB + 1, b"", b"")
    assert start + end == plaintext


def test_sealed_data_leaves_in_frames_as_it_arrives(envelope: Envelope) -> None:
    out = io.BytesIO()
    with envelope.seal(out, CONTEXT) as sink:
        sink.write(bytes(3 * MIB))
        assert out.tell() >= 2 * MIB


WRONG_CONTEXTS = {
    "another value": {**CONTEXT, "part": "00000002"},
    "one pair more": {**CONTEXT, "as_of": "2026-01-14"},
    "one pair fewer": {name: value for name, value in CONTEXT.items() if name != "part"},
    "none": {},
    "another name": {**{n: v for n, v in CONTEXT.items() if n != "part"}, "Part": "00000001"},
}


@pytest.mark.parametrize("which", WRONG_CONTEXTS)
def test_only_the_whole_and_exact_context_opens(envelope: Envelope, which: str) -> None:
    with pytest.raises(Tampered):
        opened(envelope, sealed(envelope, b"secret"), WRONG_CONTEXTS[which])


def test_a_message_made_with_less_context_does_not_open_with_more(envelope: Envelope) -> None:
    with pytest.raises(Tampered):
        opened(envelope, sealed(envelope, b"secret", {"kind": "ratings"}))
    assert opened(envelope, sealed(envelope, b"secret", {}), {}) == b"secret"


def test_a_flipped_bit_anywhere_is_noticed(envelope: Envelope) -> None:
    message = sealed(envelope, secrets.token_bytes(3000))
    for copy in changed(message, seed=2026, count=75):
        with pytest.raises(Tampered):
            opened(envelope, copy)


@pytest.mark.proof
@pytest.mark.parametrize("size", [3000, 3 * MIB])
def test_a_flipped_bit_anywhere_is_noticed_of_a_thousand(envelope: Envelope, size: int) -> None:
    message = sealed(envelope, secrets.token_bytes(size))
    for copy in changed(message, seed=size, count=1000 if size < MIB else 200):
        with pytest.raises(Tampered):
            opened(envelope, copy)


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.proof)])
def test_a_message_that_was_cut_off_is_noticed(envelope: Envelope, step: int) -> None:
    message = sealed(envelope, secrets.token_bytes(3000))
    for cut in [*range(1, 151, step), 1000, 3000, len(message) - 10, len(message)]:
        with pytest.raises(Tampered):
            opened(envelope, message[:-cut])


def test_what_was_appended_is_noticed(envelope: Envelope) -> None:
    message = sealed(envelope, b"secret")
    for more in (b"\0", b"\n", message, bytes(2 * MIB)):
        with pytest.raises(Tampered):
            opened(envelope, message + more)


def test_frames_that_were_swapped_or_doubled_are_noticed(envelope: Envelope) -> None:
    message = sealed(envelope, secrets.token_bytes(3 * MIB))
    frame = 4 + 12 + FRAME_BYTES + 16  # sequence number, IV, ciphertext, tag
    start = message.index((1).to_bytes(4, "big") + (1).to_bytes(12, "big"))
    first, second = message[start : start + frame], message[start + frame : start + 2 * frame]
    before, after = message[:start], message[start + 2 * frame :]
    assert opened(envelope, before + first + second + after)
    for body in (second + first, first + first, first, first + second + second, b""):
        with pytest.raises(Tampered):
            opened(envelope, before + body + after)


def test_what_a_late_fault_is_found_in_was_never_whole(envelope: Envelope) -> None:
    message = bytearray(sealed(envelope, secrets.token_bytes(3 * MIB)))
    message[-1] ^= 1
    with pytest.raises(Tampered), envelope.open(io.BytesIO(bytes(message)), CONTEXT) as source:
        assert len(source.read(1000)) == 1000  # a frame that is in order; the end is looked at on exit


def test_a_reader_who_fails_hears_of_his_own_error(envelope: Envelope) -> None:
    def fail() -> None:
        with envelope.open(io.BytesIO(sealed(envelope, bytes(3 * MIB))), CONTEXT) as source:
            source.read(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    gc.collect()  # and the library's stream complains to nobody


def test_after_an_exception_what_was_sealed_does_not_open(envelope: Envelope) -> None:
    out = io.BytesIO()

    def fail() -> None:
        with envelope.seal(out, CONTEXT) as sink:
            sink.write(bytes(2 * MIB))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(Tampered):
        opened(envelope, out.getvalue())


class Failing(io.BytesIO):
    """A store that stops answering in the middle."""

    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() > 100_000:
            raise StoreUnavailable("the store did not answer")
        return super().read(size)


def test_a_store_that_does_not_answer_is_no_tampering(envelope: Envelope) -> None:
    message = sealed(envelope, secrets.token_bytes(3 * MIB))
    with pytest.raises(StoreUnavailable), envelope.open(Failing(message), CONTEXT) as source:
        source.read()


def test_garbage_is_refused_whatever_it_is(envelope: Envelope) -> None:
    for garbage in (
        b"",
        b"\0",
        b"account_id,score\r\n",
        bytes(5000),
        secrets.token_bytes(5000),
        b"\x02" * 99,
    ):
        with pytest.raises(Tampered):
            opened(envelope, garbage)


def test_the_message_of_an_error_tells_nothing(envelope: Envelope) -> None:
    message = bytearray(sealed(envelope, b"secret"))
    message[40] ^= 1
    with pytest.raises(Tampered) as caught:
        opened(envelope, bytes(message))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    for word in ("secret", "esg_assets/", "part", "00000001", "Traceback"):
        assert word not in str(caught.value)


def test_another_working_key_opens_nothing() -> None:
    message = sealed(WorkingEnvelope(bytes(32)), b"secret")
    with pytest.raises(Tampered):
        opened(WorkingEnvelope(bytes(31) + b"\1"), message)


@pytest.mark.parametrize("size", [0, 16, 31, 33, 64])
def test_a_working_key_has_32_bytes(size: int) -> None:
    with pytest.raises(Refused, match="32 bytes"):
        WorkingEnvelope(bytes(size))


STREAM = """
import sys
from esg_assets.adapters.envelope import WorkingEnvelope
envelope, megabytes, block = WorkingEnvelope(bytes(32)), int(sys.argv[1]), bytes(1 << 20)
with open(sys.argv[2], "wb") as file, envelope.seal(file, {"a": "b"}) as sink:
    for _ in range(megabytes):
        sink.write(block)
with open(sys.argv[2], "rb") as file, envelope.open(file, {"a": "b"}) as source:
    assert sum(len(piece) for piece in iter(lambda: source.read(1 << 16), b"")) == megabytes << 20
"""


@pytest.mark.parametrize("megabytes", [40, pytest.param(500, marks=pytest.mark.proof)])
def test_memory_does_not_grow_with_the_message(
    megabytes: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("sealed")
    little = peak_memory_of(STREAM, "4", str(folder / "little"))
    much = peak_memory_of(STREAM, str(megabytes), str(folder / "much"))
    assert much - little < 12 * MIB
    (folder / "much").unlink()
