"""ESG_API_MAPPING: how another provider is asked, and where its replies hold what we want.

    request:
      method: GET                     # or POST
      path: /v3/{account_id}/score    # below ESG_API_URL; may hold {account_id} and {as_of}
      query: {date: "{as_of}"}        # may hold {as_of}, {offset} and, alone, {account_ids}
      body: {ids: "{account_ids}"}    # of a POST; texts in it likewise
      ids: path                       # or query (repeated), comma (one parameter), json (a list in body)
      ids_per_call: 1
      pages: {next: links.next, most: 10, size: 100}   # where one call is answered in several pages
      token: {audience: esg}          # further parameters of the token request
    reply:
      entries: data[*]                # JMESPath from the page; all further paths start at an entry
      columns: headers[*].name        # where entries are lists: the names of their columns
      account_id: id
      missing: bad_response           # or not_rated, where unrated accounts are left out
      fields:
        as_of: {path: date, format: "%d.%m.%Y"}
        overall_score: {path: score, scale: [0, 10], better: higher}   # or lower, for risk
        environmental_score: {path: e}
        social_score: {path: s}
        governance_score: {path: g}
        primary_focus: {derived: highest_pillar}                       # or {path: …, values: {…}}
        rating: {path: grade, values: {leader: AAA}}
        coverage_pct: {path: covered, scale: [0, 1]}
        metrics: {waci: {path: carbon.waci}}
      errors:
        entries: problems             # JMESPath from the page; the next two start at one of these
        account_id: id
        status: {path: code, values: {NOT_FOUND: "404"}}

Numbers are texts in all expressions: `problems[?code == '7']`. No secret belongs in it: its text is
frozen with each snapshot. What the parts do is `request_shape`'s and `mapped_shape`'s.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from esg_assets.adapters.esg_api.mapped_shape import (
    MappedDate,
    MappedErrors,
    MappedNumber,
    MappedShape,
    MappedWord,
)
from esg_assets.adapters.esg_api.mapping_nodes import SETTING, Node
from esg_assets.adapters.esg_api.mapping_request import read_request
from esg_assets.adapters.esg_api.request_shape import (
    CONTRACT_MOST,
    CONTRACT_ONE,
    RequestShape,
    contract_several,
)
from esg_assets.adapters.esg_api.scales import HUNDRED, Scale
from esg_assets.core.errors import SettingsWrong
from esg_assets.core.reply_shapes import CONTRACT_SHAPE, ReplyShape

SCORES = ("overall_score", "environmental_score", "social_score", "governance_score")


@dataclass(frozen=True)
class ProviderMapping:
    """What ESG_API_MAPPING says.

    Attributes:
        request: how the provider is asked.
        reply: where its replies hold what.
        token: further parameters of the token request.
    """

    request: RequestShape
    reply: MappedShape
    token: Mapping[str, str]


@lru_cache(maxsize=16)
def parse_provider_mapping(text: str) -> ProviderMapping:
    """The mapping in `text`, the canonical JSON of the YAML.

    Raises:
        SettingsWrong: a key is unknown, missing or holds something else; names its place.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise SettingsWrong(f"{SETTING}: wanted a mapping.") from None
    keys = Node(document).keys("request reply")
    request, token = read_request(keys["request"])
    return ProviderMapping(request, _reply(keys["reply"], paged=request.paging is not None), token)


def request_shape(mapping: str, accounts_per_call: int) -> RequestShape:
    """The calls that ESG_API_MAPPING ("" for the contract's) and ESG_API_ACCOUNTS_PER_CALL ask for.

    With a mapping its ids_per_call is in force, or ESG_API_ACCOUNTS_PER_CALL where that is above 1.

    Raises:
        SettingsWrong: the mapping is wrong, or the provider does not take so many accounts in a call.
    """
    request = parse_provider_mapping(mapping).request if mapping else None
    most = CONTRACT_MOST if request is None else request.ids_per_call
    if accounts_per_call > most:
        whose = "the contract allows" if request is None else f"{SETTING} says under request.ids_per_call"
        raise SettingsWrong(
            f"ESG_API_ACCOUNTS_PER_CALL is {accounts_per_call}; wanted: at most {most}, as {whose}."
        )
    if request is None:
        return CONTRACT_ONE if accounts_per_call == 1 else contract_several(accounts_per_call)
    return request if accounts_per_call == 1 else replace(request, ids_per_call=accounts_per_call)


def token_parameters(mapping: str) -> Mapping[str, str]:
    """Further parameters of the token request. Raises SettingsWrong."""
    return parse_provider_mapping(mapping).token if mapping else {}


def check_metrics(mapping: str, names: Sequence[str]) -> None:
    """Refuse a mapping that is wrong, or that says nothing of a metric which ESG_METRICS names.

    Raises:
        SettingsWrong: see above.
    """
    known = parse_provider_mapping(mapping).reply.metrics
    missing = [name for name in names if name not in known]
    if missing:
        raise SettingsWrong(
            f"{SETTING}, reply.fields.metrics: wanted {', '.join(missing)}, since ESG_METRICS names it."
        )


class MappedReplyShapes:
    """The port `ReplyShapes`: the contract's shape, and those that mappings describe."""

    def of(self, mapping: str) -> ReplyShape:
        """See the port."""
        return parse_provider_mapping(mapping).reply if mapping else CONTRACT_SHAPE


def _reply(node: Node, *, paged: bool) -> MappedShape:
    keys = node.keys("entries account_id fields", "columns errors missing")
    fields = keys["fields"].keys(
        f"as_of {' '.join(SCORES)} primary_focus", optional="rating coverage_pct metrics methodology_version"
    )
    metrics = fields["metrics"].children("metrics by name") if "metrics" in fields else {}
    missing = keys["missing"].choice("bad_response", "not_rated") if "missing" in keys else ""
    return MappedShape(
        rows=keys["entries"].path(),
        account_id=keys["account_id"].path(),
        as_of=_date(fields["as_of"]),
        scores={name: _number(fields[name], directed=True) for name in SCORES},
        focus=_focus(fields["primary_focus"]),
        columns=keys["columns"].path() if "columns" in keys else None,
        rating=_word(fields["rating"]) if "rating" in fields else None,
        coverage=_number(fields["coverage_pct"]) if "coverage_pct" in fields else None,
        metrics={name: _number(metric) for name, metric in metrics.items()},
        methodology=fields["methodology_version"].keys("path")["path"].path()
        if "methodology_version" in fields
        else None,
        errors=_errors(keys["errors"]) if "errors" in keys else None,
        omits_unrated=missing == "not_rated",
        paged=paged,
    )


def _number(node: Node, *, directed: bool = False) -> MappedNumber:
    keys = node.keys("path", "scale better" if directed else "scale")
    low, high = _ends(keys["scale"]) if "scale" in keys else (Decimal(0), HUNDRED)
    lower = "better" in keys and keys["better"].choice("higher", "lower") == "lower"
    return MappedNumber(keys["path"].path(), Scale(low, high, lower_is_better=lower))


def _ends(node: Node) -> tuple[Decimal, Decimal]:
    wanted = "the lowest and the highest value, such as [0, 10]"
    if not isinstance(node.value, list) or len(node.value) != 2:  # noqa: PLR2004 - two ends
        raise node.wrong(wanted)
    low, high = (Node(value, node.at).decimal() for value in node.value)
    if not low < high:
        raise node.wrong(wanted)
    return low, high


def _date(node: Node) -> MappedDate:
    keys = node.keys("path", "format")
    if "format" not in keys:
        return MappedDate(keys["path"].path())
    wanted = 'a format with year, month and day, such as "%d.%m.%Y"'
    text = keys["format"].text(wanted)
    if not re.search(r"%Y", text) or not re.search(r"%[mbB]", text) or "%d" not in text:
        raise keys["format"].wrong(wanted)
    return MappedDate(keys["path"].path(), text)


def _focus(node: Node) -> MappedWord | None:
    keys = node.keys(optional="path values derived")
    if "derived" in keys:
        if len(keys) > 1:
            raise node.wrong("either derived or path")
        keys["derived"].choice("highest_pillar")
        return None
    return _word(node)


def _word(node: Node) -> MappedWord:
    keys = node.keys("path", "values")
    values = keys["values"].texts("a mapping from their words to ours") if "values" in keys else {}
    return MappedWord(keys["path"].path(), values)


def _errors(node: Node) -> MappedErrors:
    keys = node.keys("entries account_id status")
    status = _word(keys["status"])
    for theirs, ours in status.values.items():
        if not re.fullmatch(r"[1-5][0-9][0-9]", ours) or ours.startswith("2"):
            raise Node(ours, f"{keys['status'].at}.values.{theirs}").wrong("an HTTP status such as 404")
    return MappedErrors(keys["entries"].path(), keys["account_id"].path(), status)
