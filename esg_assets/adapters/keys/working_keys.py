"""The host's working key in a file, and former ones beside it.

    working.key      seals and opens
    working.key.1    the first one; only opens
    working.key.2    the one after that, and so on

All of them are 32 raw bytes, 0600. A former key's file is removed by hand when no working data is
left that it sealed.
"""

import re
import secrets
from pathlib import Path

from esg_assets.adapters.keys.key_files import Kept, sync_folder, write_key_file
from esg_assets.adapters.keys.loading import WORKING_KEY_BYTES, load_working_key
from esg_assets.core.errors import Refused


def former_key_files(path: Path) -> list[Path]:
    """Files of the former keys beside the working key `path`, oldest first."""
    numbered = re.compile(re.escape(path.name) + r"\.([1-9][0-9]{0,5})")
    try:
        names = [file.name for file in path.parent.iterdir() if numbered.fullmatch(file.name)]
    except OSError:
        return []  # whoever loads the key itself says what is wrong with the folder
    return [path.with_name(name) for name in sorted(names, key=lambda name: int(name.rpartition(".")[2]))]


def replace_working_key(path: Path) -> Path:
    """Make a new working key in `path` and keep the old one beside it as the newest former key.

    Killed at any moment, `path` holds a key that works and no key is lost: at worst the current key
    stands among the former ones too, which is no fault.

    Args:
        path: the working key's file.

    Returns:
        The file of what is a former key now.

    Raises:
        SettingsWrong: `path` holds no working key that is kept as it must be.
        Refused: another process rotates it at the same time.
    """
    old = load_working_key(path)
    formers = former_key_files(path)
    number = int(formers[-1].name.rpartition(".")[2]) + 1 if formers else 1
    if formers and load_working_key(formers[-1]) == old:  # killed between the two steps the last time
        former = formers[-1]
    else:
        former = path.with_name(f"{path.name}.{number}")
        write_key_file(former, old, Kept.PRIVATE)
        sync_folder(path.parent)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}.new")
    write_key_file(fresh, secrets.token_bytes(WORKING_KEY_BYTES), Kept.PRIVATE)
    try:
        if load_working_key(path) != old:
            raise Refused(f"Another process made a new working key in {path} just now. Nothing was changed.")
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)
    return former
