"""Draws that depend on nothing but a seed and a name, so that a test can foretell them.

No state, no clock: the same seed and words give the same draw in every process and on every day.
"""

import hashlib


def draw(seed: int, *words: str | int) -> int:
    """A uniform 64-bit integer for `seed` and `words`."""
    text = "\x1f".join([str(seed), *map(str, words)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def share(seed: int, *words: str | int) -> float:
    """A uniform number in [0, 1) for `seed` and `words`."""
    return (draw(seed, *words) >> 11) / (1 << 53)
