"""Making one readable Python file of the modules that judge.

Their source is taken as it stands, without what only a publisher needs: so the file judges by the same
rules as `esg-assets report verify`, and nobody has to keep two of them equal. Names are unique over all
parts; `chain.decode` becomes `decode`.
"""

import ast
import importlib.util
import io
import os
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from esg_assets import __version__
from esg_assets.core.errors import Refused

_OWN = "esg_assets"


@dataclass(frozen=True)
class Part:
    """What is taken of one module.

    Attributes:
        module: its name below the package.
        only: the names that are taken, all if empty.
        but: names that are left out.
    """

    module: str
    only: Sequence[str] = ()
    but: Sequence[str] = ()


PARTS = (
    Part("core.errors", only=("EsgError", "Refused", "SettingsWrong", "Tampered")),
    Part("core.canonical_json"),
    Part("core.object_keys", but=("check_prefix",)),
    Part("core.store_identity", only=("KEY", "StoreIdentity", "parse", "_encode")),
    Part("core.chain_bodies"),
    Part("core.chain", but=("encode",)),
    Part("core.key_rules", but=("write_item",)),
    Part("core.ports.keys", only=("Keyring",)),
    Part("core.chain_history"),
    Part("core.examination", but=("examine",)),
    Part("core.publication", only=("_OBJECT_OF", "StoredObject", "named_objects", "expired_keys")),
    Part("core.object_faults"),
    Part("adapters.keys.verifying"),
    Part("adapters.keys.key_files", only=("_PEM", "only_pem")),
    Part("adapters.one_file_verifier.folder_verification"),
)
"""In the order in which they stand in the file: each uses what is above it."""

_HEAD = '''"""Verify a copy of an esg_assets records store, offline, with public keys alone.

    python3 verifier.py STORE_FOLDER --keyring FILE [--expect-head SEQ:SHA256] [--json]

Exit status 0: all is well; 1: faults, each named by entry, date and version; 2: wrong usage. Needs Python
3.11 or newer and the package `cryptography`; nothing else, and no network.

STORE_FOLDER is a copy of the store with its folders chain/, reports/, summaries/ and archive/ and the
file store_id. FILE is a public key in PEM, or a text file of lines, each naming a PEM file beside it:

    FILE[@FIRST[-LAST]]            signs entries of every kind, from the chain's sequence FIRST to LAST
    custodian:FILE[@FIRST[-LAST]]  signs reseal entries alone
    revoked:FILE@SEQ               its entries are refused from sequence SEQ on

A chain that was cut off at its end verifies: only a head that was noted elsewhere (a mail, a ticket) shows
it, so give --expect-head. What the sealed objects say is not looked at: their recipients can open them.

Made by `esg-assets report verifier`, version {version}, of the sources that are named below.
"""
'''


@dataclass
class _Bundle:
    """The file as it grows: what it imports, and its parts."""

    imports: dict[str, set[str]] = field(default_factory=dict)  # line, and the names that end it
    own: set[str] = field(default_factory=set)  # modules of ours by the names they are imported as
    parts: list[str] = field(default_factory=list)


def write_verifier(path: Path) -> int:
    """Write the verifier to a new file (0644) and return its size in bytes. Raises Refused."""
    data = verifier_source().encode()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(path, flags, 0o644), "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(data)
    except FileExistsError:
        raise Refused(f"Writing the verifier: {path} is there already; name a new file.") from None
    except OSError as error:
        raise Refused(f"Writing the verifier to {path}: {error.strerror}.") from None
    return len(data)


def verifier_source() -> str:
    """The text of the verifier."""
    bundle = _Bundle()
    for part in PARTS:
        _add(bundle, part)
    head = _HEAD.replace("{version}", __version__)
    return f"{head}\n{_imports(bundle)}\n" + "\n\n".join(bundle.parts)


def _add(bundle: _Bundle, part: Part) -> None:
    name = f"{_OWN}.{part.module}"
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    text = Path(spec.origin).read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines = text.splitlines()
    blocks = [
        (node, "\n".join(lines[_start(lines, node) - 1 : node.end_lineno]))
        for node in tree.body[1:]  # the first is the docstring
        if not isinstance(node, ast.Import | ast.ImportFrom) and _wanted(node, part)
    ]
    code = "".join(_joined(blocks))
    used = _names(code)
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            _take_import(bundle, node, used)
    doc = (ast.get_docstring(tree) or "").splitlines()
    # The text of a whole module is not about the little that is taken of it.
    doc = [f"Taken of it: {', '.join(part.only)}."] if part.only else doc
    rule = f"# ---- {name} ".ljust(100, "-")
    head = "\n".join([rule, *(f"# {line}".rstrip() for line in doc)])
    bundle.parts.append(f"{head}\n\n\n{_without_prefixes(code, bundle.own)}")


def _wanted(node: ast.stmt, part: Part) -> bool:
    name = _defined(node)
    if isinstance(node, ast.Expr):  # the text below an assignment, which says what it is
        return not part.only
    return name not in part.but and (not part.only or name in part.only)


def _defined(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
    return target.id if isinstance(target, ast.Name) else ""


def _start(lines: Sequence[str], node: ast.stmt) -> int:
    """First line of a definition with its decorators and the comment above it, from 1."""
    decorators = getattr(node, "decorator_list", [])
    start: int = min([node.lineno, *(each.lineno for each in decorators)])
    while start > 1 and lines[start - 2].startswith("#"):
        start -= 1
    return start


def _joined(blocks: Sequence[tuple[ast.stmt, str]]) -> Iterator[str]:
    """As the formatter spaces them: two lines around definitions, none between assignments."""
    before: ast.stmt | None = None
    for node, text in blocks:
        large = isinstance(node, ast.FunctionDef | ast.ClassDef | ast.If)
        if before is not None:
            large_before = isinstance(before, ast.FunctionDef | ast.ClassDef)
            yield "\n\n\n" if large or large_before else "\n"
        yield text
        before = node
    yield "\n"


def _take_import(bundle: _Bundle, node: ast.Import | ast.ImportFrom, used: set[str]) -> None:
    """Note what an import line of a part gives to the names that are used there."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            if (alias.asname or alias.name) in used:
                line = f"import {alias.name}" + (f" as {alias.asname}" if alias.asname else "")
                bundle.imports.setdefault(line, set())
        elif node.module and node.module.partition(".")[0] == _OWN:
            spec = importlib.util.find_spec(node.module)
            if spec is not None and spec.submodule_search_locations:  # a module of a package of ours
                bundle.own.add(alias.name)
        elif node.module and alias.name in used:
            bundle.imports.setdefault(f"from {node.module} import", set()).add(alias.name)


def _without_prefixes(text: str, modules: set[str]) -> str:
    """`text` with the names of our modules taken off what they hold: `chain.decode` → `decode`."""
    cuts = []
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for before, name, dot in zip([tokens[0], *tokens], tokens, tokens[1:], strict=False):
        module = name.type == tokenize.NAME and name.string in modules and dot.string == "."
        if module and before.string != ".":
            cuts.append((name.start, dot.end))
    lines = text.splitlines(keepends=True)
    for (row, start), (_, end) in reversed(cuts):
        lines[row - 1] = lines[row - 1][:start] + lines[row - 1][end:]
    return "".join(lines)


def _names(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _imports(bundle: _Bundle) -> str:
    """Import lines of what is used: the standard library's first."""
    lines = [
        f"{line} {', '.join(sorted(names))}" if names else line for line, names in bundle.imports.items()
    ]
    lines.sort(key=lambda line: ("cryptography" in line, line.startswith("from "), line))
    first = next(number for number, line in enumerate(lines) if "cryptography" in line)
    return "\n".join([*lines[:first], "", *lines[first:]]) + "\n"
