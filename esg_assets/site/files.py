"""The files of the site: written so that no reader sees half a page, and read for what they were made of.

A page ends with a digest of itself, so that damage shows wherever it is, and the page is made again. It
keeps nobody from altering a page on purpose: what proves a report is the signed chain.
"""

import hashlib
import os
import re
import tempfile
import time
from pathlib import Path

from esg_assets.core.errors import StoreUnavailable

HEAD_CHARACTERS = 2_048
"""What a page says of itself stands at its beginning."""

HALF = ".half"
"""Folder of pages that are being written."""

LEFT_SECONDS = 3_600.0
"""After so long nobody writes there any more."""

_SAID = re.compile(r'<meta name="esg-(page|state)" content="([^"]*)">')
_END = re.compile(rb"<!-- sha256 of all before this: [0-9a-f]{64} -->\n\Z")


class SiteFolder:
    """The folder of the site; no page in it is ever removed.

    It is made 0700 and its files 0600. Whoever opens the folder for others (`chmod g+rx`) opens what is
    written afterwards in the same way.

    Raises StoreUnavailable where a file cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self) -> None:
        """Make the folder, so that a wrong one shows before any page has cost time."""
        try:
            self._ready("index.html")
            for left in self._half.iterdir():  # by writers that were killed
                if left.stat().st_mtime < time.time() - LEFT_SECONDS:
                    left.unlink(missing_ok=True)
        except OSError as error:
            raise self._not_written("index.html", error) from None

    def write(self, name: str, html: str) -> int:
        """Write a page, all of it or nothing; 1 if it was written, 0 if it stood there as it is."""
        if html == self.read(name):
            return 0
        try:
            path = self._ready(name)
            handle, fresh = tempfile.mkstemp(dir=self._half, suffix=".html")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_with_digest(html))
                    file.flush()
                    os.fsync(file.fileno())  # else a power cut could leave the new name on an empty file
                Path(fresh).chmod(self._mode & 0o666)
                Path(fresh).replace(path)
            finally:
                Path(fresh).unlink(missing_ok=True)
        except OSError as error:
            raise self._not_written(name, error) from None
        return 1

    def read(self, name: str) -> str:
        """The page as it was given to `write`; "" where there is none, or not as it was written."""
        try:
            found = (self._folder / name).read_bytes()
            html = _END.sub(b"", found).decode("utf-8")
        except (OSError, UnicodeDecodeError):  # it is made again then
            return ""
        return html if found == _with_digest(html) else ""

    def is_damaged(self, name: str) -> bool:
        """Whether the page is there, but not as it was written."""
        return (self._folder / name).exists() and not self.read(name)

    def marker(self, name: str) -> str:
        """What the page says it was made of; "" where there is no page."""
        return self._said(name).get("page", "")

    def state(self, name: str) -> str:
        """The state that the page says its report is in; "" where there is no page."""
        return self._said(name).get("state", "")

    def _said(self, name: str) -> dict[str, str]:
        return dict(_SAID.findall(self.read(name)[:HEAD_CHARACTERS]))

    def _not_written(self, name: str, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(
            f"Writing the page {name} of the site: {error.strerror or error}. Give the site's folder, "
            f"{self._folder} (ESG_SITE_FOLDER), room and the right owner, then run `esg-assets site build`."
        )

    @property
    def _half(self) -> Path:
        return self._folder / HALF

    @property
    def _mode(self) -> int:
        return self._folder.stat().st_mode & 0o777

    def _ready(self, name: str) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._half.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / name
        missing = [parent for parent in path.parents if not parent.exists()]
        for parent in reversed(missing):
            parent.mkdir(exist_ok=True)
            parent.chmod(self._mode)
        return path


def _with_digest(html: str) -> bytes:
    """The page's bytes, with a digest of them as the last line; browsers take no notice of it."""
    page = html.encode("utf-8")
    return page + f"<!-- sha256 of all before this: {hashlib.sha256(page).hexdigest()} -->\n".encode()
