"""What the documents name exists: files, modules, tests, settings, commands, options, checks, links.

The README's tables are held by `test_reference.py`.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from esg_assets.checks import DESCRIPTIONS
from esg_assets.cli.commands import EVERYWHERE
from esg_assets.cli.reference import commands
from esg_assets.core import errors
from esg_assets.core.errors import EsgError
from esg_assets.settings import Settings, variable_of
from esg_assets_tests import module_tree

PROJECT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")],
    key=lambda path: path.relative_to(PROJECT).as_posix(),
)
OUR_TESTS = PROJECT / "esg_assets_tests"

FILE = re.compile(r"(?<![\w/.-])(?:[\w.-]+/)*[\w.-]+\.(?:py|md|yaml|toml|ini|png|svg)(?![\w/])")
FOLDER = re.compile(r"(?<![\w/.-])(?:esg_assets|esg_assets_tests|docs|deploy)/(?:[\w-]+/)*(?=[`\s),.;]|$)")
TEST = re.compile(r"\btest_[a-z0-9_]+\b(?!\.py)")
DOTTED = re.compile(r"(?<![\w./])esg_assets(?:_tests)?(?:\.\w+)+(?!/)")
SETTING = re.compile(r"(?<![\w$])ESG_[A-Z0-9_]*[A-Z0-9]\b")
COMMAND = re.compile(r"\besg-assets ((?:[a-z]+(?:-[a-z]+)* ?)*)((?: ?[^\n`|;]*)?)")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
# A path of some machine: nothing of the kind is anybody else's.
MACHINE = re.compile(r"(?<![\w.$}])/(?:home|root|work|tmp|Users|mnt|opt)/")


def documents() -> pytest.MarkDecorator:
    """Each document by its name."""
    return pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))


def prose(document: Path) -> str:
    """The text without the README's generated tables and the generated tree, which other tests hold."""
    text = document.read_text(encoding="utf-8")
    return re.sub(r"<!-- (\w+):begin -->.*?<!-- \1:end -->", "", text, flags=re.DOTALL)


@cache
def names_of_tests() -> frozenset[str]:
    """Every test function, and every module of tests."""
    names = set()
    for module in OUR_TESTS.rglob("test_*.py"):
        names.add(module.stem)
        names |= {
            node.name
            for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
    return frozenset(names)


@cache
def options() -> dict[str, frozenset[str]]:
    """The options of every command, by its full name."""
    return {
        name: frozenset(option for p in command.params if p.param_type_name == "option" for option in p.opts)
        | {*EVERYWHERE}
        for name, command in commands()
    }


def anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = HEADING.findall(document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_there(name: str, document: Path) -> bool:
    """Whether a file that a document names stands where it may mean it."""
    places = [PROJECT, document.parent, OUR_TESTS, PROJECT / "esg_assets"]
    if "/" not in name and any(name == path.name for path in PROJECT.joinpath("esg_assets").rglob(name)):
        return True
    return any((place / name).exists() for place in places)


def exists(dotted: str) -> bool:
    """Whether a dotted name is a module or something in one."""
    module, found = dotted, None
    while module and found is None:
        try:
            found = find_spec(module)
        except ModuleNotFoundError:
            found = None
        module = module if found else module.rpartition(".")[0]
    rest = dotted.removeprefix(module).lstrip(".").split(".")
    return found is not None and (rest == [""] or f"{rest[0]}" in Path(str(found.origin)).read_text("utf-8"))


@documents()
def test_every_file_that_is_named_is_there(document: Path) -> None:
    text = re.sub(r"https?://\S+|\w+://\S+", "", prose(document))
    named = {*FILE.findall(text), *FOLDER.findall(text)}

    assert [name for name in sorted(named) if not is_there(name, document)] == []


@documents()
def test_every_link_leads_somewhere(document: Path) -> None:
    missing = []
    for link in LINK.findall(prose(document)):
        path, _, anchor = link.partition("#")
        target = (document.parent / path) if path else document
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)

    assert missing == []


@documents()
def test_every_test_that_is_named_exists(document: Path) -> None:
    assert set(TEST.findall(prose(document))) - names_of_tests() == set()


@documents()
def test_a_test_stands_in_the_module_that_is_named_with_it(document: Path) -> None:
    for path, name in re.findall(r"`([\w/]+\.py)::(test_\w+)`", prose(document)):
        assert f"def {name}(" in (OUR_TESTS / path).read_text(encoding="utf-8"), f"{path}::{name}"


@documents()
def test_every_module_that_is_named_exists(document: Path) -> None:
    assert [name for name in sorted(set(DOTTED.findall(prose(document)))) if not exists(name)] == []


@documents()
def test_every_setting_that_is_named_exists(document: Path) -> None:
    known = {variable_of(name) for name in Settings.model_fields}
    text = prose(document)
    named = {name.removesuffix("_FILE") for name in SETTING.findall(text)}

    assert named - known == set()


@documents()
def test_every_command_and_option_that_is_named_exists(document: Path) -> None:
    wrong = [command for command, given in commands_in(prose(document)) if wrong_command(command, given)]

    assert wrong == []


def commands_in(text: str) -> Iterator[tuple[str, list[str]]]:
    """Every `esg-assets …` in a text: its words, and the options behind them."""
    for words, rest in COMMAND.findall(text.replace("\\\n", " ")):
        yield words.strip(), OPTION.findall(rest)


def wrong_command(words: str, given: list[str]) -> bool:
    """Whether no command begins the words, or it lacks an option that is given."""
    names = [name for name in options() if words == name or words.startswith(f"{name} ")]
    if not names:
        return bool(words)
    return not set(given) <= options()[max(names, key=len)]


@documents()
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    assert set(re.findall(r"(?:`|^    |\n    )make (\w+)", prose(document))) <= targets


@documents()
def test_no_document_names_a_place_on_somebodys_machine(document: Path) -> None:
    assert MACHINE.findall(document.read_text(encoding="utf-8")) == []


def test_the_tree_of_modules_is_the_one_that_stands() -> None:
    document = PROJECT / "docs" / "architecture.md"
    text = document.read_text(encoding="utf-8")

    assert module_tree.put(text) == text, (
        "python -m esg_assets_tests.module_tree --write docs/architecture.md"
    )


def test_every_check_and_every_error_is_explained_to_who_is_on_call() -> None:
    text = prose(PROJECT / "docs" / "operations.md")
    types = [n for n, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, EsgError)]

    assert [name for name in DESCRIPTIONS if f"\n`{name}`" not in text] == []
    assert [name for name in types if not re.search(rf"^\|.*\b{name}\b.*\|", text, re.MULTILINE)] == []


def test_every_decision_that_the_code_refers_to_is_recorded_and_listed() -> None:
    records = {path.name[:4]: path.name for path in (PROJECT / "docs" / "adr").glob("[0-9]*.md")}
    listed = (PROJECT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    modules = [*(PROJECT / "esg_assets").rglob("*.py"), *OUR_TESTS.rglob("*.py"), PROJECT / "dagster.yaml"]
    named = {
        number
        for module in modules
        for number in re.findall(r"docs/adr/(\d{4})", module.read_text(encoding="utf-8"))
    }

    assert named <= set(records)
    assert [name for name in records.values() if f"]({name})" not in listed] == []


@pytest.mark.parametrize(
    "text",
    ["esg-assets fly", "`esg-assets run --dates D`", "esg-assets report\n", "esg-assets keys forget"],
)
def test_a_command_that_there_is_not_would_be_noticed(text: str) -> None:
    assert any(wrong_command(words, given) for words, given in commands_in(text))


def test_what_there_is_not_would_be_noticed() -> None:
    assert not exists("esg_assets.core.nothing")
    assert not exists("esg_assets.core.errors.Nothing")
    assert exists("esg_assets.core.errors.Refused")
    assert exists("esg_assets.core.errors")
    assert not is_there("esg_assets/core/nothing.py", PROJECT / "README.md")
    assert MACHINE.search("see /home/somebody/x") is not None
