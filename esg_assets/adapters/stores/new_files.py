"""A new file of a store in a folder: without a name until it is whole and on the disk.

Where a file system has no nameless files, it has a temporary name that is no key.
"""

import contextlib
import os
import re
import secrets

from esg_assets.adapters import nameless_files

BUFFER = 1 << 20
TEMPORARY_NAME = re.compile(r"~[0-9a-f]{16}")
"""What a killed writer may leave on a file system without nameless files, or while it replaces an object."""


class NewFile:
    """A file that has no name yet, in the folder where it will have one."""

    def __init__(self, folder: int) -> None:
        self._folder = folder
        # Only where a file cannot be nameless: a name that is no key, so that it is never listed.
        self._temporary_name = ""
        descriptor = nameless_files.open_nameless(folder)
        if descriptor is None:
            self._temporary_name = f"~{secrets.token_hex(8)}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self._temporary_name, flags, 0o600, dir_fd=folder)
        os.fchmod(descriptor, 0o600)
        self.file = os.fdopen(descriptor, "wb", buffering=BUFFER)

    def publish(self, name: str) -> None:
        """Bring the bytes to the disk, then give them their name. Raises FileExistsError."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if self._temporary_name:
            os.link(
                self._temporary_name,
                name,
                src_dir_fd=self._folder,
                dst_dir_fd=self._folder,
                follow_symlinks=False,
            )
        else:
            os.link(
                f"/proc/self/fd/{self.file.fileno()}", name, dst_dir_fd=self._folder, follow_symlinks=True
            )
        os.fsync(self._folder)

    def take_over(self, name: str) -> None:
        """The same, for a name that another file has; at every moment it is one of the two files'."""
        if not self._temporary_name:  # only a file with a name can be renamed
            self._temporary_name = f"~{secrets.token_hex(8)}"
            os.link(
                f"/proc/self/fd/{self.file.fileno()}",
                self._temporary_name,
                dst_dir_fd=self._folder,
                follow_symlinks=True,
            )
        self.file.flush()
        os.fsync(self.file.fileno())
        os.rename(self._temporary_name, name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        self._temporary_name = ""
        os.fsync(self._folder)

    def discard(self) -> None:
        """Let go of it; what was not published is gone."""
        # What is still in the buffer cannot be written when the disk is full, and need not be.
        with contextlib.suppress(OSError):
            self.file.close()
        if self._temporary_name:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary_name, dir_fd=self._folder)
