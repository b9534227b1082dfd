"""What the operating system's errors mean for somebody who runs a store in a folder."""

import contextlib
import errno
import os
from collections.abc import Iterator

from esg_assets.core.errors import StoreUnavailable

_MEANINGS = {
    errno.ENOSPC: "the disk is full. Free some space and run it again",
    errno.EDQUOT: "this user's disk quota is used up. Raise it or free some space and run it again",
    errno.EFBIG: "the file would be larger than this process may write. Raise its limit",
    errno.EROFS: "the file system is read-only. Mount it for writing",
    errno.EACCES: "this user has no permission there. The store's folder must belong to who runs this",
    errno.EPERM: "the file system does not permit it. A store needs one with hard links, of this user",
    errno.ENOENT: "its folder is not there",
    errno.ENOTDIR: "an object stands where a folder is wanted",
}


@contextlib.contextmanager
def errors_as_unavailable(doing: str) -> Iterator[None]:
    """Turn an OSError inside the block into StoreUnavailable: `doing`, what happened, what to do.

    Args:
        doing: such as "Writing chain/00000001 to the store"; stands at the start of the message.
    """
    try:
        yield
    except OSError as error:
        number = error.errno or 0
        meaning = _MEANINGS.get(number) or os.strerror(number)
        # The original's text holds the path of the store.
        raise StoreUnavailable(
            f"{doing} failed: {meaning} ({errno.errorcode.get(number, number)})."
        ) from None
