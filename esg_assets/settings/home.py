"""DAGSTER_HOME: where Dagster keeps its runs and, by default, we our stores."""

import os
import stat
from collections.abc import MutableMapping
from pathlib import Path

from esg_assets.core.errors import SettingsWrong
from esg_assets.settings.deployment import DEFAULT_HOME

_CONFIG = "dagster.yaml"


def dagster_home(environ: MutableMapping[str, str] | None = None, *, project: Path | None = None) -> Path:
    """Dagster's home, ready to use; sets DAGSTER_HOME where it was not set.

    Unset, it is `.dagster` in the working folder: made with mode 0700, and with the project's
    `dagster.yaml` in force there. A home that was set is left alone.

    Args:
        environ: the variables, os.environ if None.
        project: the folder with the dagster.yaml in force; the working folder or, in a checkout, the
            folder of this package if None.

    Raises:
        SettingsWrong: the home is not there, not absolute, or not ours.
    """
    environ = os.environ if environ is None else environ
    given = environ.get("DAGSTER_HOME", "").strip()
    if given:
        home = Path(given)
        if not home.is_absolute() or not home.is_dir():
            raise SettingsWrong(
                f"DAGSTER_HOME holds {given!r}; wanted: the absolute path of a folder that is there"
            )
        return home
    home = DEFAULT_HOME.absolute()
    home.mkdir(mode=0o700, exist_ok=True)
    status = home.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise SettingsWrong(f"{home} is a link or belongs to another user; remove it or set DAGSTER_HOME")
    home.chmod(0o700)
    _put_config(home, project)
    environ["DAGSTER_HOME"] = str(home)
    return home


def _put_config(home: Path, project: Path | None) -> None:
    """Link the project's dagster.yaml into `home`, unless somebody put a file of his own there."""
    folders = [project] if project is not None else [Path.cwd(), Path(__file__).resolve().parents[2]]
    source = next((folder / _CONFIG for folder in folders if (folder / _CONFIG).is_file()), None)
    link = home / _CONFIG
    if source is None or (link.exists() and not link.is_symlink()):
        return
    target = os.path.relpath(source, home)
    if link.is_symlink() and str(link.readlink()) == target:
        return
    fresh = home / f".{_CONFIG}.{os.getpid()}"
    fresh.symlink_to(target)
    fresh.replace(link)  # at once: two commands may start together
