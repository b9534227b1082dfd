"""A server for the bench's own tests, where nginx is not installed: same answer, same log, no limit."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from esg_assets_tests.bench import nginx


@contextmanager
def small_server(log: Path) -> Iterator[str]:
    """Its URL; each call is a line in `log` as nginx writes it."""
    lock = threading.Lock()

    class Ratings(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # the library's name
            started = time.time()
            url = urlsplit(self.path)
            account = re.fullmatch(r"/v1/accounts/([A-Za-z0-9-]+)/esg-rating", url.path)
            known = account is not None and self.headers["Authorization"] == f"Bearer {nginx.TOKEN}"
            name = account[1] if account else "-"
            as_of = parse_qs(url.query).get("as_of", [""])[0]
            body = nginx.RATING.replace("$account", name).replace("$arg_as_of", as_of) if known else ""
            self.send_response(200 if known else 401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())
            with lock, log.open("a", encoding="utf-8") as file:
                seconds = time.time() - started
                file.write(f"{started + seconds:.3f} {seconds:.3f} {200 if known else 401} {name}\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
            """Says nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ratings)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
