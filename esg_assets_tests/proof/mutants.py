"""Mutation testing of the modules that make figures: mutmut in a copy of the tree, and what it left alive.

Which modules and which tests is in pyproject.toml ([tool.mutmut]); mutants that change no figure are in
mutants_reviewed.txt, each under a line that says why. By hand, to see what a new test would have to catch:
`python -m esg_assets_tests.proof.mutants FOLDER`.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
REVIEWED = Path(__file__).parent / "mutants_reviewed.txt"
KILLED, WORKERS = "killed", 2
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "simulators", "node_modules")


@dataclass(frozen=True, order=True)
class Mutant:
    """One change of one function: its module and name, the lines that go, and the lines that come."""

    function: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([self.function, *self.lines])


@dataclass(frozen=True)
class Found:
    """What came of a run: mutants by status, and those that no test noticed with their status."""

    counts: Mapping[str, int]
    left: Mapping[Mutant, str]


def hunted(folder: Path) -> Found:
    """Run mutmut in a copy of the tree at `folder`, which must not exist; the repository stays as it is."""
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(ROOT / "esg_assets", folder / "esg_assets", ignore=_LEFT_OUT)
    tests = folder / "esg_assets_tests"
    tests.mkdir()
    shutil.copy(ROOT / "esg_assets_tests" / "__init__.py", tests)
    shutil.copytree(ROOT / "esg_assets_tests" / "unit", tests / "unit", ignore=_LEFT_OUT)
    told = _mutmut(folder, "run", "--max-children", str(WORKERS))
    if told.returncode:
        raise RuntimeError(f"mutmut ended with {told.returncode}: {(told.stdout + told.stderr)[-3000:]}")
    lines = _mutmut(folder, "results", "--all", "true").stdout.splitlines()
    found = dict(line.strip().rsplit(": ", 1) for line in lines if ": " in line)
    alive = [name for name, status in found.items() if status != KILLED]
    with ThreadPoolExecutor(WORKERS) as pool:
        shown = pool.map(lambda name: _mutmut(folder, "show", name).stdout, alive)
        left = {_mutant(name, diff): found[name] for name, diff in zip(alive, shown, strict=True)}
    return Found(Counter(found.values()), left)


def _mutmut(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "mutmut", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _mutant(name: str, diff: str) -> Mutant:
    """From mutmut's name (esg_assets.core.figures.x__count__mutmut_3) and its diff."""
    module, function = name.removeprefix("esg_assets.core.").split(".", 1)
    plain = re.sub(r"__mutmut_\d+$", "", function).removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    lines = [line for line in diff.splitlines() if re.match(r"[-+](?![-+])", line)]
    changed = [f"{line[0]} {line[1:].strip()}" for line in lines]
    return Mutant(f"{module}.{plain}", tuple(changed))


def reviewed(text: str) -> dict[Mutant, str]:
    """Mutants that were looked at, each with its reason; see the file's first lines for its form."""
    found, reason = {}, ""
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.splitlines()
        if lines[0].startswith("#"):
            reason = " ".join(line.removeprefix("#").strip() for line in lines)
        else:
            found[Mutant(lines[0], tuple(lines[1:]))] = reason
    return found


def printed(found: Found, known: Sequence[Mutant]) -> Iterator[str]:
    """How many mutants there were, and those that nobody has looked at."""
    yield ", ".join(f"{n:,} {status}" for status, n in sorted(found.counts.items()))
    for mutant, status in sorted(found.left.items()):
        if mutant not in known:
            yield f"\n{status}: {mutant}"


if __name__ == "__main__":
    print("\n".join(printed(hunted(Path(sys.argv[1])), list(reviewed(REVIEWED.read_text("utf-8"))))))  # noqa: T201 - a tool
