"""The tools of this folder on what stands, and on what would be wrong."""

import datetime as dt
import json
import re
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from esg_assets_tests.supply_chain import sbom
from esg_assets_tests.supply_chain.audit import (
    FOUND,
    NOT_AUDITED,
    Accepted,
    Audit,
    Finding,
    Unanswered,
    accepted,
    audit,
    judged,
)
from esg_assets_tests.supply_chain.lock import PROJECT, RUN, WITH_DEV, Lock, faults, wanted

TODAY = dt.date(2026, 1, 15)
FINDING = Finding("jinja2", "2.11.2", ("PYSEC-2021-66", "CVE-2020-28493"), ("2.11.3",))
HASH = f"--hash=sha256:{'0' * 64}"


def locked(path: Path = WITH_DEV) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("path", "dev"), [(WITH_DEV, True), (RUN, False)], ids=["with dev", "run"])
def test_the_lock_file_serves_setup_py_and_is_complete(path: Path, dev: bool) -> None:
    assert faults(Lock.parsed(locked(path)), wanted(dev=dev)) == []


def test_what_runs_is_the_same_in_both_lock_files() -> None:
    every = {(pin.name, pin.version) for pin in Lock.parsed(locked()).pins}
    assert {(pin.name, pin.version) for pin in Lock.parsed(locked(RUN)).pins} < every


@pytest.mark.parametrize("path", [WITH_DEV, RUN], ids=lambda path: path.name)
def test_a_lock_file_names_no_host_and_no_folder(path: Path) -> None:
    assert re.findall(r".*(?:://|--index|--find|-e |@ ).*", locked(path)) == []


def test_a_package_that_the_lock_lacks_is_named() -> None:
    assert any(
        "setup.py wants left-pad, which is not in it" in fault
        for fault in faults(Lock.parsed(locked()), [Requirement("left-pad")])
    )


def test_a_range_that_the_lock_does_not_meet_is_named() -> None:
    found = faults(Lock.parsed(locked()), [Requirement("requests>=99")])
    assert any(fault.startswith("setup.py wants requests>=99, and it has ") for fault in found)


def test_what_a_package_needs_is_missed_when_it_is_taken_out() -> None:
    without = re.sub(r"(?m)^jinja2==.*\n(?: .*\n)+", "", locked())
    assert without != locked()
    assert any("wants jinja2" in fault for fault in faults(Lock.parsed(without), wanted(dev=True)))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("left-pad==1.0", "left-pad has no hash"),
        (f"left-pad==1.0 \\\n    {HASH}\nright-pad>=1", "neither a package with its version nor a hash"),
        (f"left-pad @ https://example.com/x.whl {HASH}", "neither a package with its version nor a hash"),
        ("--index-url https://example.com/simple", "neither a package with its version nor a hash"),
        ("--hash=md5:00", "neither a package with its version nor a hash"),
    ],
)
def test_a_line_that_could_bring_in_something_else_is_a_fault(line: str, fault: str) -> None:
    assert any(fault in each for each in faults(Lock.parsed(f"{line}\n"), []))


def test_ruff_looks_for_what_bandit_looks_for_and_nothing_is_taken_out() -> None:
    with (PROJECT / "pyproject.toml").open("rb") as file:
        lint = tomllib.load(file)["tool"]["ruff"]["lint"]
    assert lint["select"] == ["ALL"]
    taken_out = [rule for rule in lint["ignore"] if re.fullmatch(r"S\d*", rule)]
    assert taken_out == ["S101"], "assert; all other rules of flake8-bandit are in force"
    elsewhere = {
        p for p, rules in lint["per-file-ignores"].items() if any(re.fullmatch(r"S\d*", r) for r in rules)
    }
    assert elsewhere == {"esg_assets_tests/**"}


class Osv(BaseHTTPRequestHandler):
    """A vulnerability service that knows about one release, and about requests if it is told to."""

    vulnerable = frozenset({("jinja2", "2.11.2")})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, version = asked["package"]["name"], asked["version"]
        known = []
        if (name, version) in self.vulnerable:
            package = {"name": name, "ecosystem": "PyPI"}
            ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}]
            known = [{"id": "PYSEC-1", "affected": [{"package": package, "ranges": ranges}], "summary": "x"}]
        body = json.dumps({"vulns": known} if known else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


class OsvThatFindsRequests(Osv):
    vulnerable = frozenset({("jinja2", "2.11.2"), ("requests", "2.0.0")})


class OsvThatKnowsNothing(Osv):
    vulnerable = frozenset()


@pytest.fixture
def osv(request: pytest.FixtureRequest) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), request.param)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def small_lock(tmp_path: Path) -> Path:
    path = tmp_path / "requirements.lock"
    path.write_text(f"requests==2.0.0 \\\n    {HASH}\nidna==2.0 \\\n    {HASH}\n", encoding="ascii")
    return path


@pytest.mark.parametrize("osv", [OsvThatFindsRequests], indirect=True)
def test_a_known_vulnerability_is_found_by_the_real_pip_audit(osv: str, small_lock: Path) -> None:
    told = audit(small_lock, osv)
    assert (told.audited, told.unknown) == (2, ())
    assert [str(finding) for finding in told.findings] == ["requests 2.0.0: PYSEC-1, fixed in 99"]
    assert judged(told, [], TODAY, required=False)[0] == FOUND


@pytest.mark.parametrize("osv", [Osv], indirect=True)
def test_nothing_found_passes_when_the_service_knows_what_is_vulnerable(osv: str, small_lock: Path) -> None:
    told = audit(small_lock, osv)
    assert judged(told, [], TODAY, required=True) == (0, ["2 packages audited with osv: 0 findings"])


@pytest.mark.parametrize("osv", [OsvThatKnowsNothing], indirect=True)
def test_a_service_that_does_not_know_a_vulnerable_release_counts_as_no_answer(
    osv: str, small_lock: Path
) -> None:
    with pytest.raises(Unanswered, match=r"does not know that jinja2==2\.11\.2 is vulnerable"):
        audit(small_lock, osv)


def test_a_service_that_cannot_be_reached_counts_as_no_answer(small_lock: Path) -> None:
    with pytest.raises(Unanswered, match="did not answer"):
        audit(small_lock, "http://127.0.0.1:9/v1/query")


def test_a_package_that_the_service_does_not_know_is_told_and_fails_where_an_audit_is_required() -> None:
    told = Audit("pypi", 3, ("left-pad",), ())
    status, lines = judged(told, [], TODAY, required=False)
    assert (status, lines[0]) == (0, "NOT AUDITED: pypi does not know left-pad")
    assert judged(told, [], TODAY, required=True)[0] == NOT_AUDITED


def test_an_accepted_finding_passes_until_its_date_and_is_told_with_its_reason() -> None:
    told = Audit("osv", 3, (), (FINDING,))
    lived_with = [Accepted("CVE-2020-28493", "jinja2", "no template of others", dt.date(2026, 2, 1))]
    status, lines = judged(told, lived_with, TODAY, required=True)
    assert status == 0
    assert "no template of others" in lines[0]
    assert judged(told, lived_with, dt.date(2026, 2, 1), required=True)[0] == FOUND


def test_an_accepted_finding_that_is_gone_must_be_taken_out() -> None:
    lived_with = [Accepted("CVE-1", "jinja2", "reason", dt.date(2027, 1, 1))]
    status, lines = judged(Audit("osv", 3, (), ()), lived_with, TODAY, required=False)
    assert status == FOUND
    assert "nothing has CVE-1 in jinja2 any more" in lines[0]


@pytest.mark.parametrize(
    "entry", ["{id: X, package: p, until: 2026-01-01}", "{id: X, package: p, reason: ' ', until: 2026-01-01}"]
)
def test_an_accepted_finding_needs_a_reason(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "accepted.yaml"
    path.write_text(f"accepted: [{entry}]\n", encoding="ascii")
    with pytest.raises(ValueError, match="reason"):
        accepted(path)


def test_the_list_of_accepted_findings_can_be_read() -> None:
    assert all(entry.reason for entry in accepted())


def test_the_bill_of_materials_has_what_runs_with_hashes_and_dependencies() -> None:
    document = sbom.bill()
    names = {each["name"].lower() for each in document["components"]}
    assert {"dagster", "cryptography", "aws-encryption-sdk"} <= names
    assert "pytest" not in names
    for each in document["components"]:
        files = [r for r in each["externalReferences"] if r.get("comment", "").startswith("the files")]
        assert files, each["name"]
        assert files[0]["hashes"], each["name"]
    (ours,) = [each for each in document["dependencies"] if each["ref"].startswith("esg")]
    assert len(ours["dependsOn"]) > 20
    assert document["metadata"]["component"]["name"].startswith("esg")
    assert "file:" not in json.dumps(document)


def test_a_package_in_another_version_than_the_locks_stops_the_bill(tmp_path: Path) -> None:
    other = tmp_path / "other.lock"
    other.write_text(re.sub(r"(?m)^dagster==\S+", "dagster==1.0.0", locked(RUN)), encoding="utf-8")
    with pytest.raises(sbom.Incomplete, match=r"dagster\. Run: make setup"):
        sbom.bill(lock=other)


def test_what_is_no_bill_of_materials_is_rejected() -> None:
    whole = '{"bomFormat": "CycloneDX", "specVersion": "1.6"}'
    assert sbom.rejected(whole) == ""
    assert sbom.rejected(whole.replace('"}', '", "components": [{}]}'))
