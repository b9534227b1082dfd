"""docs/security.md names tests for what it claims: each is there, is collected, and every line has one."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
TESTS = PROJECT / "esg_assets_tests"
TEXT = (PROJECT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", TEXT)))
THREATS = [line for line in TEXT.splitlines() if re.match(r"\| \*\*", line)]


@pytest.fixture(scope="module")
def collected() -> frozenset[tuple[str, str]]:
    """Path and name of each test that pytest finds in the files that are named."""
    files = sorted({str(TESTS / path) for path, _ in NAMED})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    assert done.returncode == 0, done.stdout[-3000:]
    found = re.findall(r"(?m)^esg_assets_tests/([\w/]+\.py)::(?:\w+::)*(test_\w+)", done.stdout)
    return frozenset(found)


def test_every_test_that_is_named_stands_where_pytest_looks() -> None:
    for path, name in NAMED:
        assert re.fullmatch(r"test_\w+\.py", Path(path).name), path
        module = ast.parse((TESTS / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in module.body if isinstance(node, ast.FunctionDef)}, (
            f"{path}::{name}"
        )


@pytest.mark.proof  # imports half of the suite
def test_every_test_that_is_named_is_collected_by_pytest(collected: frozenset[tuple[str, str]]) -> None:
    assert [f"{path}::{name}" for path, name in NAMED if (path, name) not in collected] == []


def test_no_test_is_named_without_its_file() -> None:
    assert re.findall(r"(?<!::)\btest_[a-z0-9_]+\b(?!\.py)", TEXT) == []


@pytest.mark.parametrize("line", THREATS, ids=lambda line: re.sub(r"\W+", "_", line.split("**")[1]))
def test_each_attacker_has_a_test_that_shows_what_stops_him(line: str) -> None:
    cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    assert len(cells) == 4
    assert all(cells)
    assert re.search(r"`[\w/]+\.py::test_\w+`", cells[3])


@pytest.mark.parametrize(
    "attacker",
    [
        "the stores, to read", "the stores, to write", "the host's disk, stolen", "root on the host",
        "the databases",
        "the provider's system", "the account system", "a recipient's private key", "the signing key",
        "the webserver's port", "the network", "an engineer's rights", "a package that we use",
    ],
)  # fmt: skip
def test_no_attacker_is_forgotten(attacker: str) -> None:
    assert any(line.startswith(f"| **{attacker}") for line in THREATS)
