"""What AWS would decide: a small evaluator of IAM, bucket and key policies.

It knows what the policies of deploy/aws use, and raises NotImplementedError for everything else, so
that it cannot be wrong silently. Its rules, of one account:

- an explicit Deny in any policy decides;
- S3: an Allow of the role's policy or of the bucket policy is enough;
- KMS: the key policy must allow, by name; an Allow for the account's root stands for the role's own
  policy, which then must allow too;
- a negated operator holds for a missing key, others don't.

Not known: permission boundaries, SCPs, sessions, NotAction, NotPrincipal, NotResource, variables.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Policy = Mapping[str, Any]
_KNOWN = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


@dataclass(frozen=True)
class Request:
    """One call: who, what, on what, and the condition keys that AWS would set for it."""

    principal: str
    action: str
    resource: str
    keys: Mapping[str, str] = field(default_factory=dict)


def allowed(request: Request, identity: Sequence[Policy], resource: Policy) -> bool:
    """Whether AWS would allow a request.

    Args:
        request: the call.
        identity: the policies of the role.
        resource: the policy of the bucket or key.
    """
    ours = set(_effects(request, identity, of_resource=False))
    theirs = set(_effects(request, [resource], of_resource=True))
    if "Deny" in ours | theirs:
        return False
    if request.action.startswith("kms:"):
        return "Allow" in theirs or ("AllowRoot" in theirs and "Allow" in ours)
    return "Allow" in ours or "Allow" in theirs


def _effects(request: Request, policies: Sequence[Policy], *, of_resource: bool) -> Iterator[str]:
    for policy in policies:
        for statement in _list(policy["Statement"]):
            if set(statement) - _KNOWN:
                raise NotImplementedError(str(set(statement) - _KNOWN))
            matched = _principal(statement["Principal"], request.principal) if of_resource else "Principal"
            applies = (
                matched
                and _any(statement["Action"], request.action, ignore_case=True)
                and _any(statement["Resource"], request.resource)
                and _conditions(
                    statement.get("Condition", {}), {"aws:PrincipalArn": request.principal, **request.keys}
                )
            )
            if applies:
                yield statement["Effect"] + (
                    "Root" if matched == "Root" and statement["Effect"] == "Allow" else ""
                )


def _principal(stated: object, principal: str) -> str:
    if stated == "*":
        return "Principal"
    if not isinstance(stated, Mapping) or set(stated) != {"AWS"}:
        raise NotImplementedError(str(stated))
    names = _list(stated["AWS"])
    if principal in names:
        return "Principal"
    return "Root" if any(str(name).endswith(":root") for name in names) else ""


def _conditions(stated: Mapping[str, Mapping[str, Any]], keys: Mapping[str, str]) -> bool:
    return all(
        _holds(operator, keys.get(key), [str(value) for value in _list(wanted)])
        for operator, pairs in stated.items()
        for key, wanted in pairs.items()
    )


def _holds(operator: str, found: str | None, wanted: Sequence[str]) -> bool:
    match operator:
        case "Null":
            return (found is None) == (wanted == ["true"])
        case "StringNotEquals":
            return found not in wanted
        case "StringEquals" | "Bool":
            return found in wanted
        case "NumericLessThan":
            return found is not None and all(float(found) < float(value) for value in wanted)
    raise NotImplementedError(operator)


def _any(patterns: object, value: str, *, ignore_case: bool = False) -> bool:
    flags = re.IGNORECASE if ignore_case else re.NOFLAG
    texts = [re.escape(str(each)).replace(r"\*", ".*").replace(r"\?", ".") for each in _list(patterns)]
    return any(re.fullmatch(text, value, flags | re.DOTALL) for text in texts)


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
