"""Files without a name: what is not whole yet can be found by nobody, and a kill leaves nothing.

Giving them their name when they are whole is the business of `esg_assets.adapters.stores.new_files` and
`esg_assets.adapters.decrypted_file`, each with its own way where there are no such files.
"""

import errno
import os
from pathlib import Path

# What a file system without nameless files answers; everything else would happen to a named one too.
_NO_NAMELESS_FILES = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})


def open_nameless(folder: int) -> int | None:
    """Descriptor of a file without a name in `folder`, 0600, or None where the system has no such thing.

    Raises:
        OSError: the file could not be made, with a name neither.
    """
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not Path("/proc/self/fd").exists():
        return None
    try:
        return os.open(".", flag | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=folder)
    except OSError as error:
        if error.errno in _NO_NAMELESS_FILES:
            return None
        raise
