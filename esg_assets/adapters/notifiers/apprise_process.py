"""The process that asks Apprise: an order as JSON on standard input, who took the message on standard output.

It is started by path, by `apprise`, and imports nothing of ours. Nothing else is printed, and nothing logged.
"""

import json
import logging
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, TextIO

_FOR_OURSELVES = 0.4
"""Seconds before the caller's patience ends, for the answer to reach it."""


def main(order: dict[str, Any], began: float, out: TextIO) -> None:
    """Ask every service at the same time, and say which took the message.

    Args:
        order: urls, title, body, kind, skip (positions that are not asked), ca, seconds; or look, to say
            only which are known.
        began: when the process was started, by the monotonic clock.
        out: where the answer goes.
    """
    _trust(order.get("ca"))
    import apprise  # noqa: PLC0415 - slow, and it reads the environment
    from apprise.utils.parse import parse_urls  # noqa: PLC0415 - as above

    asset = apprise.AppriseAsset(secure_logging=True, storage_mode="memory", plugin_paths=[])
    urls = parse_urls(order["urls"])  # type: ignore[no-untyped-call] # as it comes
    services = [apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True) for url in urls]
    unknown = sum(service is None for service in services)
    took = [service is not None for service in services]
    if not order.get("look"):
        took = _asked(services, order, order["seconds"] - (time.monotonic() - began) - _FOR_OURSELVES)
    out.write(json.dumps({"took": took, "unknown": unknown}))
    out.flush()


def _asked(services: list[Any], order: dict[str, Any], seconds: float) -> list[bool]:
    pool = ThreadPoolExecutor(max(len(services), 1))
    words = {"title": order["title"], "body": order["body"], "notify_type": order["kind"]}
    asked = {
        position: pool.submit(_ask, service, words)
        for position, service in enumerate(services)
        if service is not None and position not in order["skip"]
    }
    wait(asked.values(), max(seconds, 0.1))
    return [
        position in asked and asked[position].done() and asked[position].result()
        for position in range(len(services))
    ]


def _ask(service: Any, words: dict[str, str]) -> bool:
    try:
        return bool(service.notify(body_format="text", **words))
    except Exception:  # noqa: BLE001 - any of a hundred services' plugins; not taken is all there is to say
        return False


def _trust(ca: str | None) -> None:
    """Let requests and ssl trust a firm's own authority besides the known ones."""
    if ca is None:
        return
    import ssl  # noqa: PLC0415 - only where it is wanted

    import certifi  # noqa: PLC0415 - as above

    known = [certifi.where(), ssl.get_default_verify_paths().cafile, ca]
    with tempfile.NamedTemporaryFile(
        "w", suffix=".pem", delete=False
    ) as file:  # in a folder that the caller removes
        file.writelines(Path(each).read_text(encoding="utf-8") + "\n" for each in known if each)
    os.environ["REQUESTS_CA_BUNDLE"] = os.environ["SSL_CERT_FILE"] = file.name


if __name__ == "__main__":
    started = time.monotonic()
    logging.disable(logging.CRITICAL)
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(2, 1)  # what a library prints is no answer
        main(json.load(sys.stdin), started, answer)
    os._exit(0)  # not waiting for services that do not answer
