"""`esg-assets settings`: what is in force, and where each value comes from."""

from esg_assets.cli.answers import Answer, Rows
from esg_assets.cli.commands import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    commands.add("settings", settings)


def settings() -> Answer:
    """Effective settings and where each comes from, secrets masked; exit 2 if any is wrong."""
    from esg_assets.settings import load_settings  # noqa: PLC0415 - pydantic is slow to import

    loaded = load_settings(tolerant=True)
    sources = loaded.sources()
    values = [(name, value, sources[name]) for name, value in loaded.shown().items()]
    faults = [str(fault) for fault in loaded.faults]
    shown: list[str | Rows] = [
        Rows(("setting", "value", "from"), [(name, value or "-", source) for name, value, source in values])
    ]
    if loaded.unknown:
        shown.append("Not ours, though they begin with ESG_: " + ", ".join(loaded.unknown))
    if faults:
        shown.append("Wrong, so that nothing runs:\n" + "\n".join(f"  {fault}" for fault in faults))
    return Answer(
        {
            "settings": [{"name": name, "value": value, "source": source} for name, value, source in values],
            "unknown": list(loaded.unknown),
            "faults": faults,
        },
        shown,
        status=2 if faults else 0,
    )
