"""The tree of modules that docs/architecture.md shows, made from the packages that stand.

    python -m esg_assets_tests.module_tree --write docs/architecture.md

puts it between the document's markers; `unit/test_docs.py` holds that the document has exactly this.
"""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

BEGIN, END = "<!-- modules:begin -->", "<!-- modules:end -->"
PACKAGE = Path(__file__).parents[1] / "esg_assets"

_SENTENCE = re.compile(r"(.+?[.;])(?=\s|$)")
_LONGEST = 110


def tree() -> str:
    """Every module of the package with what its docstring says first, as a Markdown code block."""
    lines = list(_below(PACKAGE, 0))
    width = max(len(name) for name, _ in lines) + 2
    return "\n".join(["```text", *(f"{name:{width}}{said}".rstrip() for name, said in lines), "```"])


def put(text: str) -> str:
    """The document's text with the tree of today between its markers.

    Raises:
        ValueError: a marker is missing.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"no {BEGIN} … {END}")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{tree()}\n{END}{rest.partition(END)[2]}"


def _below(folder: Path, depth: int) -> Iterator[tuple[str, str]]:
    indent = "  " * depth
    yield f"{indent}{folder.name}/", _said(folder / "__init__.py")
    for module in sorted(folder.glob("*.py")):
        if module.name != "__init__.py":
            yield f"{indent}  {module.name}", _said(module)
    for below in sorted(folder.iterdir()):
        if (below / "__init__.py").is_file():
            yield from _below(below, depth + 1)


def _said(module: Path) -> str:
    """The first sentence of a module's docstring, cut where it is too long for a line."""
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    first = " ".join(docstring.partition("\n\n")[0].split())
    found = _SENTENCE.match(first)
    sentence = (found[1] if found else first).rstrip(".;")
    return sentence if len(sentence) <= _LONGEST else f"{sentence[: _LONGEST - 1].rpartition(' ')[0]} …"


def main(arguments: Sequence[str]) -> int:
    """Print the tree, or with `--write FILE` put it into FILE."""
    if len(arguments) == 2 and arguments[0] == "--write":
        file = Path(arguments[1])
        file.write_text(put(file.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    sys.stdout.write(tree() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
