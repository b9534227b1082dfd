"""What is sent for each fault of `faults`: spoilt bodies, other replies, other ways to deliver them."""

import re
import zlib
from collections.abc import Callable
from datetime import date, timedelta
from email.utils import formatdate
from http import HTTPStatus
from time import time

from esg_assets.simulators.deliveries import MIB, after, cut, never, padded, reset, slowly
from esg_assets.simulators.exchange import Reply, json_reply, json_text, problem, with_header
from esg_assets.simulators.faults import Fault

_DEFAULT_MIB = 8
_OVERALL = re.compile(rb'"overall_score":[^,}]+')
_GOVERNANCE = re.compile(rb',"governance_score":[^,}]+')
_RATED_ON = re.compile(rb'"as_of":"[^"]+"')


def spoilt(kind: str, body: bytes, account_id: str, as_of: str | None) -> bytes:
    """A rating's JSON with one of faults.ENTRY_KINDS in it; `as_of` is the date asked for.

    For the kinds that leave out or add an entry it is none, or two with a comma between them.
    """
    if kind == "left_out":
        return b""
    if kind in {"wrong_id", "stranger"}:
        mine = json_text(account_id).encode()
        others = body.replace(mine, json_text(_another(account_id)).encode(), 1)
        return others if kind == "wrong_id" else body + b"," + others
    if kind == "twice":
        return body + b"," + body
    if kind == "missing_field":
        return _GOVERNANCE.sub(b"", body, count=1)
    if kind == "future":
        asked = date.fromisoformat(as_of) if as_of and "0001" <= as_of < "9999" else date(9998, 12, 31)
        return _RATED_ON.sub(b'"as_of":"%s"' % str(asked + timedelta(days=1)).encode(), body, count=1)
    overall = {
        "out_of_range": b'"overall_score":150.00',
        "nan": b'"overall_score":NaN',
        "wrong_type": b'"overall_score":"high"',
        "duplicate_keys": b'"overall_score":12.34,"overall_score":56.78',
    }[kind]
    return _OVERALL.sub(overall, body, count=1)


def _another(account_id: str) -> str:
    return ("Y" if account_id.startswith("X") else "X") + account_id[1:]


def misbehave(fault: Fault, right: Reply, redirect_to: str) -> Reply:
    """What is sent instead of the `right` reply, for every kind that concerns a whole reply.

    Args:
        fault: what was ordered; not one of faults.ENTRY_KINDS.
        right: the reply that an undisturbed call gets.
        redirect_to: the URL that a redirect points at.
    """
    if fault.kind.isdigit():
        return _status(fault)
    if fault.kind == "redirect":
        return Reply(307, [(b"location", redirect_to.encode()), (b"content-length", b"0")])
    return _WHOLE[fault.kind](fault, right)


def outage_reply(kind: str) -> Reply:
    """What every call gets in an outage: a status, `timeout` or `reset`."""
    return misbehave(Fault(kind), json_reply(b""), "")


def _status(fault: Fault) -> Reply:
    status = int(fault.kind)
    title = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Ordered fault"
    reply = problem(status, "ordered", title, "this answer was ordered")
    seconds = 1.0 if fault.value is None and status == HTTPStatus.TOO_MANY_REQUESTS else fault.value
    if seconds is not None:
        text = formatdate(time() + seconds, usegmt=True) if fault.as_date else f"{seconds:g}"
        with_header(reply, b"retry-after", text.encode())
    return reply


def _not_json() -> Reply:
    body = b"<!doctype html><title>Maintenance</title><p>We will be back soon."
    return Reply(200, [(b"content-type", b"text/html"), (b"content-length", b"%d" % len(body))], body)


def _oversize(fault: Fault, right: Reply) -> Reply:
    reply = json_reply(right.body)
    reply.headers[1] = (b"content-length", b"%d" % (len(right.body) + _mib(fault) * MIB))
    return reply._replace(delivery=padded(_mib(fault)))


def _gzip_bomb(fault: Fault, right: Reply) -> Reply:
    squeezer = zlib.compressobj(wbits=31)
    parts = [squeezer.compress(right.body)]
    parts += [squeezer.compress(b" " * MIB) for _ in range(_mib(fault))]
    return with_header(json_reply(b"".join([*parts, squeezer.flush()])), b"content-encoding", b"gzip")


def _seconds(fault: Fault) -> float:
    return 1.0 if fault.value is None else fault.value


def _mib(fault: Fault) -> int:
    return _DEFAULT_MIB if fault.value is None else round(fault.value)


_WHOLE: dict[str, Callable[[Fault, Reply], Reply]] = {
    "timeout": lambda _, right: right._replace(delivery=never),
    "reset": lambda _, right: right._replace(delivery=reset),
    "cut": lambda _, right: right._replace(delivery=cut),
    "truncated": lambda _, right: json_reply(right.body[: len(right.body) * 2 // 3]),
    "empty": lambda *_: json_reply(b""),
    "not_json": lambda *_: _not_json(),
    "oversize": _oversize,
    "gzip_bomb": _gzip_bomb,
    "slow": lambda fault, right: right._replace(delivery=after(_seconds(fault))),
    "drip": lambda fault, right: right._replace(delivery=slowly(_seconds(fault))),
}
