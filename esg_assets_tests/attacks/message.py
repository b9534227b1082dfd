"""A sealed message (AWS Encryption SDK, version 2) in its pieces, to be put together wrongly."""

import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

_FINAL = 0xFFFFFFFF
_P384_ORDER = int(
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973", 16
)


@dataclass(frozen=True)
class Message:
    """Its pieces, as they stand one behind the other.

    Attributes:
        header: everything before the first frame.
        frames: each with its number, nonce, content and tag; the last one is marked as final.
        footer: length and bytes of the message's own signature; empty for an unsigned message.
    """

    header: bytes
    frames: tuple[bytes, ...]
    footer: bytes

    @classmethod
    def of(cls, data: bytes) -> "Message":
        """Take a message apart; its form is trusted here."""
        start, frame_bytes = _header_end(data)
        frames, at, final = [], start, False
        while not final:
            final = struct.unpack_from(">I", data, at)[0] == _FINAL
            length = struct.unpack_from(">I", data, at + 20)[0] + 24 if final else frame_bytes + 16
            frames.append(data[at : at + length + 16])
            at += length + 16
        return cls(data[:start], tuple(frames), data[at:])

    def with_frames(self, frames: "list[bytes] | tuple[bytes, ...]") -> bytes:
        """The message with these frames in place of its own."""
        return self.header + b"".join(frames) + self.footer

    def with_the_other_signature(self) -> bytes:
        """Every ECDSA signature (r, s) has a twin (r, n - s) that is as valid."""
        r, s = decode_dss_signature(self.footer[2:])
        twin = encode_dss_signature(r, _P384_ORDER - s)
        return self.header + b"".join(self.frames) + struct.pack(">H", len(twin)) + twin


def renumbered(frame: bytes, number: int) -> bytes:
    """A frame that says it is another one; not for the final one."""
    return struct.pack(">I", number) + frame[4:]


def _header_end(data: bytes) -> tuple[int, int]:
    """Where the first frame begins, and how much content a frame holds."""
    at = 1 + 2 + 32  # version, suite, message id
    at += 2 + struct.unpack_from(">H", data, at)[0]  # encryption context
    (keys,) = struct.unpack_from(">H", data, at)
    at += 2
    for _ in range(3 * keys):  # provider, name and wrapped key of each
        at += 2 + struct.unpack_from(">H", data, at)[0]
    (frame_bytes,) = struct.unpack_from(">I", data, at + 1)  # behind the content type
    return at + 1 + 4 + 32 + 16, frame_bytes  # key commitment, tag
