"""Showing the pages on this machine's loopback: files that are there, to browsers here, and nothing else."""

import io
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer. What a page may load it says itself, in its head."""


class Pages(SimpleHTTPRequestHandler):
    """Pages alone: no list of a folder, no file that begins with a dot, no line for each request.

    Another Host is refused: a page elsewhere whose name leads to loopback would be of our origin else.
    """

    server_version, sys_version = "esg_assets", ""
    extensions_map = {".html": "text/html; charset=utf-8", "": "application/octet-stream"}  # noqa: RUF012 - as the base class has it

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """The file that is asked for, or why not."""
        refused = self._refused()
        if refused is not None:
            self.send_error(refused)
            return None
        return super().send_head()

    def _refused(self) -> HTTPStatus | None:
        port = self.connection.getsockname()[1]
        if self.headers.get("Host") not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
            return HTTPStatus.MISDIRECTED_REQUEST
        within = Path(self.translate_path(self.path)).parts[len(Path(self.directory).parts) :]
        return HTTPStatus.NOT_FOUND if any(part.startswith(".") for part in within) else None

    def end_headers(self) -> None:
        """With ours."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: object) -> None:
        """Nobody lists a folder."""
        del path
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing is logged."""
        del format, args


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of the pages in `folder` on loopback; raises OSError where it cannot listen."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(Pages, directory=str(folder)))
