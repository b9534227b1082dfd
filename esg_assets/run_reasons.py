"""Why a run makes a published report again, and who asks for it: two of its tags, and what may stand there.

They end in the chain in the clear, and stand in Dagster's storage from the moment the run is created. So
the command line looks before that (`esg_assets.cli.reason_check`), and a run that refuses one takes it out
of its tags.
"""

import dagster as dg

from esg_assets.core import reasons
from esg_assets.core.accounts import Snapshot
from esg_assets.core.errors import ReasonWanted, Refused

REASON_TAG = "esg/reason"
REQUESTED_BY_TAG = "esg/requested_by"

WITHHELD = "(withheld: it was not taken)"
"""What stands in a run's tags in place of a text that was refused."""


def why_and_who(context: dg.AssetExecutionContext, snapshot: Snapshot) -> tuple[str, str]:
    """What the run's tags say: "" for what they don't.

    Raises:
        Refused: one of them may not stand in the chain; it is taken out of the run's tags.
        ReasonWanted: they say why and not who: neither stands in the chain without the other.
    """
    told = {tag: context.run.tags.get(tag, "").strip() for tag in (REASON_TAG, REQUESTED_BY_TAG)}
    wrong = {tag: problem for tag, text in told.items() if (problem := _problem(text, snapshot))}
    if wrong:
        context.instance.add_run_tags(context.run.run_id, dict.fromkeys(wrong, WITHHELD))
        what = "; ".join(f"{tag} is not taken: {problem}" for tag, problem in wrong.items())
        raise Refused(
            f"Making the report of {context.partition_key}: {what}. Nothing was published, and it was "
            "taken out of the run's tags. Run the date again with another one."
        )
    if told[REASON_TAG] and not told[REQUESTED_BY_TAG]:
        raise ReasonWanted(
            f"Making the report of {context.partition_key}: the run says why ({REASON_TAG}) and not who asks "
            f"for it. Launch it again with the tag {REQUESTED_BY_TAG} as well; the command line sets both."
        )
    return told[REASON_TAG], told[REQUESTED_BY_TAG]


def _problem(text: str, snapshot: Snapshot) -> str:
    if text == WITHHELD:
        return "an earlier run did not take it"
    if wrong := reasons.problem(text):
        return wrong
    if text and reasons.names_account(text, map(str, snapshot.accounts.column("account_id"))):
        return "it holds the id of an account, and would stand in the chain in the clear"
    return ""
