"""The one-file verifier: readable, alone, and of the same judgement as `report verify`."""

import ast
import collections
import importlib.util
import json
import random
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from esg_assets.adapters.one_file_verifier import verifier_source, write_verifier
from esg_assets.core import chain
from esg_assets.core.errors import Refused, Tampered
from esg_assets_tests.adapters.audited_records import (
    Auditor,
    add_strays,
    append,
    auditor,
    cut_off,
    distrust,
    flip,
    forge,
    remove,
    swap,
    truncate,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("auditor") / "verifier.py"
    write_verifier(path)
    return path


@pytest.fixture(scope="module")
def verifier(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("one_file_verifier", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_it_stands_alone_and_every_name_in_it_is_one_thing(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
            roots |= {str(name).partition(".")[0] for name in names}
    assert roots - set(sys.stdlib_module_names) == {"cryptography"}
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    defined += [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert [name for name, count in collections.Counter(defined).items() if count > 1] == []
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F,E9", "--target-version=py311"]
    found = subprocess.run([*ruff, "--no-cache", str(file)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
    assert max(map(len, text.splitlines())) <= 110


def test_it_is_written_to_a_new_file_only(tmp_path: Path) -> None:
    path = tmp_path / "verifier.py"
    assert write_verifier(path) == len(verifier_source().encode())
    with pytest.raises(Refused, match="is there already"):
        write_verifier(path)
    with pytest.raises(Refused, match="No such file or directory"):
        write_verifier(tmp_path / "missing" / "verifier.py")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Auditor:
    return auditor(tmp_path_factory.mktemp("records") / "good")


def test_what_is_right_is_right_for_both(good: Auditor, verifier: ModuleType) -> None:
    found = verifier.verify_folder(good.store, good.keyring)
    assert found == good.ours()
    assert (found["ok"], found["entries"]) == (True, 8)


Change = Callable[[Auditor, random.Random], str]


CHANGES: list[Change] = [flip, truncate, append, remove, swap, cut_off, add_strays, distrust, forge, forge]


def _assert_same_judgement(
    good: Auditor, verifier: ModuleType, folder: Path, rounds: int, seed: int
) -> collections.Counter[str]:
    """Change a copy in `rounds` ways; both must say the same. How often something was found, by change."""
    found_by: collections.Counter[str] = collections.Counter()
    for number in range(rounds):
        rng = random.Random(seed * 1_000_003 + number)
        copy = Auditor(folder / str(number), folder / str(number) / "keyring")
        shutil.copytree(good.folder, copy.folder)
        changes = [CHANGES[number % len(CHANGES)], *rng.sample(CHANGES, rng.choice([0, 0, 1, 2]))]
        expected = ""
        for change in changes:
            try:
                expected = change(copy, rng) or expected
            except (FileNotFoundError, ValueError, Tampered):
                continue  # one change took away what the next one was to change
        theirs = verifier.verify_folder(copy.store, copy.keyring, expected)
        try:
            same = theirs == copy.ours(expected)
        except Refused:  # its id says another environment than ESG_ENV, which an auditor has not
            same = not theirs["ok"]
        assert same, (seed, number, [change.__name__ for change in changes])
        if not theirs["ok"]:
            found_by[changes[0].__name__] += 1
        shutil.rmtree(copy.folder)
    return found_by


def test_it_says_the_same_as_report_verify_of_changed_records(
    good: Auditor, verifier: ModuleType, tmp_path: Path
) -> None:
    found_by = _assert_same_judgement(good, verifier, tmp_path, 200, seed=1)
    assert set(found_by) == {change.__name__ for change in CHANGES}


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(2, 7))
def test_it_says_the_same_of_a_thousand_changes(
    good: Auditor, verifier: ModuleType, tmp_path: Path, seed: int
) -> None:
    assert sum(_assert_same_judgement(good, verifier, tmp_path, 1000, seed).values()) > 800


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment in which `cryptography` and what it needs are all there is."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = Path(sysconfig.get_path("purelib"))
    bare = next(folder.glob("lib/python*/site-packages"))
    for name in ("cryptography", "cffi", "pycparser"):
        if (packages / name).is_dir():
            (bare / name).symlink_to(packages / name)
    for extension in packages.glob("_cffi_backend*"):
        (bare / extension.name).symlink_to(extension)
    return folder / "bin" / "python"


def run(python: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(python), "-I", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_it_runs_where_only_cryptography_is_installed(
    bare_python: Path, file: Path, good: Auditor, tmp_path: Path
) -> None:
    assert "No module named 'esg_assets'" in run(bare_python, "-c", "import esg_assets").stderr
    assert "No module named 'pyarrow'" in run(bare_python, "-c", "import pyarrow").stderr
    copy = Auditor(tmp_path / "copy", tmp_path / "copy" / "keyring")
    shutil.copytree(good.folder, copy.folder)
    asked = [str(file), str(copy.store), "--keyring", str(copy.keyring)]

    done = run(bare_python, *asked)
    assert (done.returncode, done.stderr) == (0, "")
    head = done.stdout.strip().rpartition(" ")[2].rstrip(".")
    assert done.stdout == f"All is well: 8 entries verified, head {head}.\n"
    assert run(bare_python, *asked, "--expect-head", head).returncode == 0

    (copy.store / chain.key_of(8)).unlink()
    assert run(bare_python, *asked).returncode == 1  # its expiry is gone, and so is an object
    done = run(bare_python, *asked, "--expect-head", head, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == copy.ours(head)
    shown = run(bare_python, *asked, "--expect-head", head).stdout.splitlines()
    assert shown[0] == "entry 1, report 2026-01-15, version 1: the sealed report is missing from the store"
    assert shown[-1].startswith("2 faults in 7 entries, head 7:")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["nowhere", "--keyring", "KEYRING"], "nowhere is no folder"),
        (["STORE", "--keyring", "nowhere"], "nowhere: No such file"),
        (["STORE", "--keyring", "STORE/store_id"], "No such file"),
        (["STORE", "--keyring", "KEYRING", "--expect-head", "7"], "wanted is SEQ:SHA256"),
        (["STORE"], "--keyring"),
    ],
)
def test_wrong_usage_is_told_in_a_line(
    bare_python: Path, file: Path, good: Auditor, arguments: list[str], what: str
) -> None:
    given = [
        each.replace("STORE", str(good.store)).replace("KEYRING", str(good.keyring)) for each in arguments
    ]
    done = run(bare_python, str(file), *given)
    assert done.returncode == 2
    assert what in done.stderr
    assert "Traceback" not in done.stderr
