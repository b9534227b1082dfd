"""The peers' own virtual environment: what they need is never installed beside the project."""

import json
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = [
    "aiohttp>=3.14,<4",
    "aiolimiter>=1.3,<2",
    "requests>=2.34,<3",
    "tenacity>=9.2,<10",
    "dlt[filesystem]>=1.31,<2",
]
STAMP = ".installed"


def install(folder: Path) -> str:
    """The interpreter of the environment in `folder`, made on first use or when REQUIREMENTS change."""
    python = str(folder / "bin" / "python")
    stamp, wanted = folder / STAMP, "\n".join([sys.version, *REQUIREMENTS])
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    subprocess.run([sys.executable, "-I", "-m", "venv", "--clear", str(folder)], check=True)
    pip = [python, "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *REQUIREMENTS], check=True)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def versions(python: str, packages: list[str]) -> dict[str, str]:
    """Which versions of `packages` that interpreter has."""
    program = (
        "import importlib.metadata as m, json, sys; "
        "print(json.dumps({p: m.version(p) for p in sys.argv[1:]}))"
    )
    out = subprocess.run([python, "-I", "-c", program, *packages], check=True, capture_output=True, text=True)
    found: dict[str, str] = json.loads(out.stdout)
    return found
