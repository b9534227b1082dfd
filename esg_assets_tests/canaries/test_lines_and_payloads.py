"""No canary is in a log line or in what is sent to a collector, whatever goes wrong; all modes as proof."""

import logging
from collections.abc import Iterable
from pathlib import Path

import pytest

from esg_assets import log_output
from esg_assets.core.telling import fields
from esg_assets_tests.canaries import account_modes, code_modes, library_modes, provider_modes
from esg_assets_tests.canaries.ground import Ground, prepared
from esg_assets_tests.canaries.mode import Mode
from esg_assets_tests.canaries.planted import Canary
from esg_assets_tests.canaries.suite import Hit, numbered, search
from esg_assets_tests.otlp_server import Collector, collector

IN_THE_PROCESS = [
    *account_modes.MODES,
    *provider_modes.MODES,
    *code_modes.MODES,
    *(mode for mode in library_modes.MODES if mode.name.startswith(("every logger", "an exception that"))),
]
"""Modes that are driven in this process, whose lines these are."""

SAMPLE = [
    account_modes.MODES[0],
    provider_modes.MODES[0],
    code_modes.MODES[0],
    *(mode for mode in IN_THE_PROCESS if mode.name.startswith(("every logger", "an exception that"))),
]


def hits_of(modes: Iterable[Mode], folder: Path, leak: str = "") -> tuple[list[Hit], Collector, str]:
    """What is found after these modes; the collector; the lines on standard output."""
    driven = list(numbered(modes))
    with prepared(folder) as ground, collector() as there:
        begin(ground, there)
        try:
            for mode, canary in driven:
                mode.drive(ground, canary)
                begin(ground, there)  # a mode may have loaded settings of its own
            if leak:
                logging.getLogger("esg_assets.x").error("leaky", extra=fields("leaky", text=leak))
            log_output.OUTPUT.flush(20.0)
        finally:
            log_output.end()
        ground.texts |= {f"payload {number}": body for number, body in enumerate(there.payloads)}
        lines = (ground.written / "stdout").read_text(encoding="utf-8")
        return search(ground, driven), there, lines


def begin(ground: Ground, there: Collector) -> None:
    """Lines of this process to standard output, which is searched, and to the collector."""
    log_output.begin(
        ground.house.settings.model_copy(
            update={"otel_exporter_otlp_endpoint": there.url, "pseudonym_key": None}
        )
    )


def test_a_sample_of_modes_leaves_nothing_in_lines_and_payloads(tmp_path: Path) -> None:
    hits, there, lines = hits_of(SAMPLE, tmp_path)
    assert not hits, "\n".join(map(str, hits[:20]))
    assert "step failed" in there.events(), "lines of modes that fail came here"
    assert '"event": "step failed"' in lines
    assert "failed" in there.events(), "and those of every logger"


@pytest.mark.proof
def test_no_mode_leaves_anything_in_lines_and_payloads(tmp_path: Path) -> None:
    hits, there, _ = hits_of(IN_THE_PROCESS, tmp_path)
    assert not hits, "\n".join(map(str, hits[:20]))
    assert len(there.lines) > 500


def test_a_leak_would_be_found_in_both(tmp_path: Path) -> None:
    ((_, canary),) = numbered(SAMPLE[:1])
    assert isinstance(canary, Canary)
    hits, _, _ = hits_of(SAMPLE[:1], tmp_path, leak=canary.ids[3])
    places = {hit.leak.where.rpartition("/")[2] for hit in hits}
    assert {"stdout"} < places
    assert any(place.startswith("payload ") for place in places)
