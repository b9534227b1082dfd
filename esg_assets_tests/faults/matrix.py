"""The fault matrix: every scenario, by section, in the order in which docs/fault_matrix.md shows them."""

from collections.abc import Mapping, Sequence

from esg_assets_tests.faults import access, answers, hostile, outages, retries, shared
from esg_assets_tests.faults.scenario import Scenario

SECTIONS: Mapping[str, Sequence[Scenario]] = {
    "Statuses": answers.STATUSES,
    "Waits that the provider asks for": answers.WAITS,
    "Bodies that are no rating": answers.BODIES,
    "Connections": answers.CONNECTIONS,
    "Faults on a retry": retries.RETRIES,
    "Tokens": access.TOKENS,
    "Refused clients and refused accounts": access.REFUSALS,
    "Outages": outages.OUTAGES,
    "Several accounts per call: one entry among others": shared.ENTRIES,
    "Several accounts per call: the call as a whole": shared.CALLS,
    "Hostile servers: bytes": hostile.BYTES,
    "Hostile servers: redirects, TLS, names, proxies": hostile.PLACES,
}

MATRIX = tuple(scenario for section in SECTIONS.values() for scenario in section)
