"""Bodies of the provider's 200, valid and not, and what `judge` makes of them."""

import json
from datetime import date

from esg_assets.core.ratings import Metric, Rating, Reason, Reply, Status
from esg_assets.core.replies import (
    Judgement,
    Ruling,
    judge,
)

ACCOUNT = "ACC-000123"
AS_OF = date(2026, 1, 14)
METRICS = (Metric("waci", "t", "lower"), Metric("women_on_board", "percent", "higher"))


SCORES = ("overall_score", "environmental_score", "social_score", "governance_score")


class Number(str):
    """A number text that goes into the JSON as it stands, without quotes."""

    __slots__ = ()


def to_json(value: object) -> str:
    """JSON whose numbers keep the text of their `Number`."""
    if isinstance(value, Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{to_json(v)}" for k, v in value.items()) + "}"
    return json.dumps(value)


def fields(**changes: object) -> dict[str, object]:
    """A valid rating; a change to None drops the field."""
    valid: dict[str, object] = {
        "account_id": ACCOUNT,
        "as_of": "2026-01-13",
        "overall_score": Number("52.50"),
        "environmental_score": Number("0"),
        "social_score": Number("100.0"),
        "governance_score": Number("6.125e1"),
        "primary_focus": "social",
    }
    return {k: v for k, v in (valid | changes).items() if v is not None}


def body(**changes: object) -> bytes:
    return to_json(fields(**changes)).encode()


def judged(raw: bytes) -> Judgement:
    return judge(Reply(200, raw), ACCOUNT, AS_OF, METRICS)


def code_of(raw: bytes) -> str:
    judgement = judged(raw)
    assert (judgement.ruling, judgement.status, judgement.reason, judgement.rating) == (
        Ruling.TRANSIENT,
        Status.FAILED,
        Reason.BAD_RESPONSE,
        None,
    )
    return judgement.code


def rating_of(raw: bytes) -> Rating:
    judgement = judged(raw)
    assert (judgement.ruling, judgement.status, judgement.reason) == (Ruling.FINAL, Status.SUCCESS, None)
    assert judgement.rating is not None
    return judgement.rating
