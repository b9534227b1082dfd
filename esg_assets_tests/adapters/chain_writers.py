"""Chains to test with, and their writers."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from esg_assets.adapters.chain_log import ChainLog
from esg_assets.core.chain import Entry
from esg_assets.core.chain_bodies import Kind
from esg_assets.core.errors import Refused
from esg_assets.core.ports import ObjectStore
from esg_assets.core.record_ports import Chain
from esg_assets_tests.adapters.records_material import WHEN, keyring, signer
from esg_assets_tests.unit.chain_material import publish_body


def chain_in(store: ObjectStore, *, seed: int | None = 1, environment: str = "test") -> ChainLog:
    return ChainLog(store, None if seed is None else signer(seed), keyring(), environment)


def next_version(date: str, *, only: int | None = None) -> Callable[[Sequence[Entry]], Mapping[str, Any]]:
    """A publish body of the version that is due, unlike any other; with `only`, of that one or none."""
    run_id = secrets.token_hex(8)

    def body(entries: Sequence[Entry]) -> Mapping[str, Any]:
        due = 1 + sum(each.kind is Kind.PUBLISH and each.body["date"] == date for each in entries)
        if only is not None and due != only:
            raise Refused(f"version {only} was published meanwhile")
        return publish_body(date, due, run_id=run_id)

    return body


def publish(chain: Chain, date: str = "2026-01-15", *, only: int | None = None) -> Entry:
    return chain.append(Kind.PUBLISH, next_version(date, only=only), recorded_at=WHEN)
