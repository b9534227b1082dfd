"""One sample call of `esg-assets doctor` to the ESG API: are we let in, and does ESG_API_MAPPING fit?

When it is made, and the other checks, are `esg_assets.cli.doctor_checks`.
"""

from collections.abc import Mapping
from datetime import date

from esg_assets.core.ratings import Reply
from esg_assets.core.replies import Judgement, Ruling
from esg_assets.settings import Settings

NOBODY = "esg-assets-doctor"
"""Not a client's: a provider that knows no such account says so, which is an answer."""

OK, UNAUTHORIZED, NOT_FOUND = 200, 401, 404
ANSWERS = frozenset({OK, 403, NOT_FOUND, 422, 429})

_PLACES: Mapping[str, str] = {
    "not_json": "request.path, since it sent no JSON",
    "entries_not_found": "reply.entries and reply.columns",
    "missing_account": "reply.entries and reply.account_id; reply.missing, if it leaves out the unrated",
    "wrong_account": "reply.account_id",
    "account_twice": "reply.entries, which finds it more than once",
    "error_invalid": "reply.errors.status",
    "as_of_invalid": "reply.fields.as_of",
    "as_of_in_future": "how the date is asked for in request, and reply.fields.as_of",
    "score_invalid": "the paths of the scores in reply.fields",
    "score_out_of_range": "the scales of the scores in reply.fields",
    "focus_invalid": "reply.fields.primary_focus",
    "rating_invalid": "reply.fields.rating",
    "coverage_invalid": "reply.fields.coverage_pct",
    "coverage_out_of_range": "the scale of reply.fields.coverage_pct",
    "metric_invalid": "reply.fields.metrics",
}
"""Where to look in ESG_API_MAPPING, by the code of what is not believed."""


def ask_once(settings: Settings, account_id: str, as_of: date) -> tuple[bool, str]:
    """Ask for one account: whether all is well, and what to say of it (nothing of the account).

    Args:
        settings: complete for calls to the ESG API.
        account_id: one of ours to try a mapping on, or NOBODY.
        as_of: the date to ask for.

    Raises:
        EsgError: the settings are wrong, or no token is to be had.
    """
    from esg_assets.composition import ratings_api, reply_shapes, rules  # noqa: PLC0415 - slow to import
    from esg_assets.core.replies import judge_many  # noqa: PLC0415 - as above

    decided = rules(settings)
    api = ratings_api(settings)
    try:
        reply = api.ask(account_id, as_of)
    finally:
        api.close()
    url = str(settings.api_url)
    if reply.status not in ANSWERS:
        suspects = "ESG_API_URL and ESG_API_MAPPING" if decided.ratings_mapping else "ESG_API_URL"
        return False, _not_answered(url, reply, suspects)
    let_in = f"{url} accepts our credentials and answered {reply.status} to a test call"
    if not decided.ratings_mapping:
        return True, let_in
    if reply.status == NOT_FOUND and api.accounts_per_call > 1:
        return False, f"{url} answered 404 for a list of accounts; see request.path in ESG_API_MAPPING"
    if reply.status != OK:
        return True, let_in
    shape = reply_shapes().of(decided.ratings_mapping)
    judged = judge_many(reply, [account_id], as_of, decided.metrics, shape)[account_id]
    return _fits(let_in, judged, nobody=account_id == NOBODY)


def _fits(let_in: str, judged: Judgement, *, nobody: bool) -> tuple[bool, str]:
    if nobody and judged.code == "missing_account":
        return True, f"{let_in}; with no account at hand, the fields of ESG_API_MAPPING were not tried"
    if judged.code:
        place = _PLACES.get(judged.code, "reply")
        return False, f"{let_in}, which ESG_API_MAPPING does not fit ({judged.code}); see {place}"
    if judged.rating is not None:
        return True, f"{let_in}, which ESG_API_MAPPING reads as a rating"
    if judged.ruling is Ruling.FINAL:
        return True, f"{let_in}, which ESG_API_MAPPING reads as {judged.reason}; its fields were not tried"
    return False, f"{let_in}, which ESG_API_MAPPING reads as {judged.reason}; ask the provider"


def _not_answered(url: str, reply: Reply, suspects: str) -> str:
    if reply.status == UNAUTHORIZED:
        return f"{url} answered 401; see the credentials for ESG_API_AUTH"
    answer = f"answered {reply.status}" if reply.status is not None else f"did not answer ({reply.fault})"
    return f"{url} {answer} to a test call; see {suspects}, then ask the provider"
