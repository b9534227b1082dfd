"""`load_settings`: find every value, check it, and say all that is wrong at once."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

from esg_assets.settings.faults import Fault, FieldsWrong, settings_wrong
from esg_assets.settings.guards import guard
from esg_assets.settings.known_secrets import remember
from esg_assets.settings.layers import Findings, Layer
from esg_assets.settings.masking import shown_raw
from esg_assets.settings.model import SECRETS, Settings, secret_texts, variable_of
from esg_assets.settings.needs import NEEDS, missing
from esg_assets.settings.secret_files import dotenv_in_force, read_dotenv

DOTENV = Path(".env")
_DOTENV_MAY_SAY = frozenset({"", "dev", "test"})


def load_settings(
    command: str = "",
    *,
    environ: Mapping[str, str] | None = None,
    dotenv: Path | None = DOTENV,
    tolerant: bool = False,
) -> Settings:
    """The settings in force now.

    Args:
        command: what they are for, such as "run" or "report verify" (names of NEEDS): what it needs
            must be there, and the two commands that work from public keys alone read only what they
            use, and no `.env`. "" reads everything and needs nothing.
        environ: the variables, os.environ if None.
        dotenv: the `.env`; None for none. Never read when ESG_ENV=prod.
        tolerant: keep faults in `Settings.faults` and go on with the default of what is wrong, so that
            Dagster loads and alert sensors live; `Settings.require` raises them before anything runs.

    Raises:
        SettingsWrong: one message with everything that is wrong or missing (not when tolerant).
    """
    need = NEEDS[command]
    environ = os.environ if environ is None else environ
    findings = Findings()
    fields = set(Settings.model_fields) if need.reads is None else set(need.reads)
    layers = [Layer(environ, "environment", findings, fields)]
    variables = dict(environ)
    if need.dotenv and dotenv is not None:
        found = _dotenv(dotenv, environ, findings)
        layers.append(Layer(found, str(dotenv.name), findings, fields))
        variables = {**found, **environ}
    settings = _build(tuple(layers), findings)
    remember([*secret_texts(settings), *(findings.texts[field] for field in findings.texts.keys() & SECRETS)])
    refused = {fault.setting for fault in findings.faults}
    broken = [
        fault
        for fault in guard(settings, whole=need.reads is None, environ=environ)
        if fault.setting not in refused
    ]
    faults = [*findings.faults, *broken]
    sources = {name: source for name, source in findings.sources.items() if name not in findings.left_out}
    settings.attach(sources=sources, faults=faults, unknown=_unknown(variables))
    if not tolerant:
        faults += missing(settings, command)
        if faults:
            raise settings_wrong(faults)
    return settings


def _dotenv(path: Path, environ: Mapping[str, str], findings: Findings) -> Mapping[str, str]:
    # A word that is neither dev nor test may be a slip for prod: then nothing is read either.
    if environ.get("ESG_ENV", "").strip() not in _DOTENV_MAY_SAY:
        in_force = dotenv_in_force(path, environ)
        if in_force:
            text = (
                f"was loaded into the environment ({', '.join(in_force)}), as Dagster does with any it finds"
            )
            findings.faults.append(
                Fault(".env", f"the .env in the working folder {text}; ESG_ENV=prod wants none")
            )
        return {}
    try:
        variables = read_dotenv(path) or {}
    except ValueError as error:
        findings.faults.append(Fault(".env", f"the .env in the working folder {error}"))
        return {}
    if variables.get("ESG_ENV", "").strip() not in _DOTENV_MAY_SAY:
        text = "sets ESG_ENV to something else than dev or test; prod is set in the environment itself"
        findings.faults.append(Fault(".env", f"the .env in the working folder {text}"))
        return {}
    return variables


def _build(layers: tuple[Layer, ...], findings: Findings) -> Settings:
    """Settings from what is right in the layers; each value that is wrong becomes a fault."""
    while True:
        try:
            return Settings(_build_sources=(layers, {}))
        except FieldsWrong as error:
            wrong = error.wanted
        for field in dict.fromkeys(field for field, _ in wrong):
            assert field not in findings.left_out, "a default that its own field refuses"
            findings.left_out.add(field)
            wanted = next(text for name, text in wrong if name == field)
            findings.faults.append(_fault(field, wanted, findings))


def _fault(field: str, wanted: str, findings: Findings) -> Fault:
    source = findings.sources.pop(field, "default")
    held = shown_raw(findings.texts[field], SECRETS.get(field))
    where = "" if source == "environment" else f" ({source})"
    return Fault(variable_of(field), f"{variable_of(field)} holds {held}{where}; wanted: {wanted}")


def _unknown(variables: Mapping[str, str]) -> list[str]:
    known = {variable_of(field) for field in Settings.model_fields}
    known |= {f"{variable_of(field)}_FILE" for field in Settings.model_fields}
    notes = []
    for name in sorted(name for name in variables if name.startswith("ESG_") and name not in known):
        close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
        notes.append(f"{name} (did you mean {close[0]}?)" if close else name)
    return notes
