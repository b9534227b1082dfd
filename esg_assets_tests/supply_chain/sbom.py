"""The bill of materials of what runs: CycloneDX 1.6 in JSON, with licences, dependencies and hashes.

    python -m esg_assets_tests.supply_chain.sbom build/sbom.cdx.json    # `make lint`

cyclonedx-py reads the environment; kept of it is what requirements-run.lock names, so that development
packages are no part of it, and the hashes of the lock file stand at each package. It holds no clock
time: the same environment gives the same bytes. Making the lock file is the business of `lock`.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from esg_assets_tests.supply_chain.lock import PROJECT, RUN, Lock, Pin, applying

PRODUCT = "esg-assets"


class Incomplete(Exception):
    """The environment is not the one that the lock file names; the text says where."""


def bill(environment: str = sys.executable, lock: Path = RUN) -> dict[str, Any]:
    """The bill of materials of an environment, cut to a lock file.

    Args:
        environment: its Python.
        lock: what belongs into it.

    Raises:
        Incomplete: a package of the lock file is not installed, or in another version.
    """
    found = _environment(environment)
    pins = {pin.name: pin for pin in applying(Lock.parsed(lock.read_text(encoding="utf-8")).pins)}
    components = {str(canonicalize_name(each["name"])): each for each in found["components"]}
    product = components[PRODUCT]
    kept = {name: each for name, each in components.items() if name in pins}
    wrong = [name for name, pin in pins.items() if not _is(kept.get(name), pin)]
    if wrong:
        raise Incomplete(
            f"not installed, or not in the version of {lock.name}: {', '.join(wrong)}. Run: make setup"
        )
    for name, each in kept.items():
        each.setdefault("externalReferences", []).append(_files(pins[name]))
    product["type"] = "application"
    product["externalReferences"] = []  # where it was built from says nothing to others
    refs = {each["bom-ref"] for each in (product, *kept.values())}
    found["metadata"]["component"] = product
    found["components"] = list(kept.values())
    found["dependencies"] = [
        {"ref": each["ref"], "dependsOn": [ref for ref in each.get("dependsOn", ()) if ref in refs]}
        for each in found["dependencies"]
        if each["ref"] in refs
    ]
    return found


def rejected(text: str) -> str:
    """Why a text is no CycloneDX 1.6 document; "" if it is one."""
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return "" if error is None else str(error)[:2000]


def _environment(python: str) -> dict[str, Any]:
    command = [str(Path(sys.executable).with_name("cyclonedx-py")), "environment", python]
    command += ["--output-reproducible", "--no-validate", "--output-format", "JSON"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _is(component: dict[str, Any] | None, pin: Pin) -> bool:
    return component is not None and component["version"] == str(pin.version)


def _files(pin: Pin) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": digest} for digest in pin.hashes]
    return {
        "type": "distribution",
        "url": f"https://pypi.org/simple/{pin.name}/",
        "comment": "the files that may be installed, by hash",
        "hashes": hashes,
    }


def main(arguments: Sequence[str]) -> int:
    """The command line: write the bill to a file."""
    if len(arguments) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        document = bill()
    except Incomplete as error:
        sys.stderr.write(f"The bill of materials is not made: {error}\n")
        return 1
    text = json.dumps(document, indent=1, sort_keys=True) + "\n"
    if why := rejected(text):
        sys.stderr.write(f"The bill of materials is no CycloneDX: {why}\n")
        return 1
    out = Path(arguments[0])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{out}: {len(document['components'])} packages, CycloneDX 1.6\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
