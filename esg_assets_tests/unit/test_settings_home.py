"""DAGSTER_HOME: made where it is not set, left alone where it is."""

from pathlib import Path

import pytest

from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import dagster_home


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a dagster.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    return tmp_path


def test_an_unset_home_is_made_for_us_alone_with_the_projects_config(project: Path) -> None:
    environ: dict[str, str] = {}

    home = dagster_home(environ)

    assert environ["DAGSTER_HOME"] == str(home) == f"{project}/.dagster"
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "dagster.yaml").read_text() == (project / "dagster.yaml").read_text()


def test_the_top_level_config_stays_the_one_in_force(project: Path) -> None:
    home = dagster_home({})
    (project / "dagster.yaml").write_text("run_monitoring:\n  enabled: true\n")

    assert dagster_home({}) == home
    assert "run_monitoring" in (home / "dagster.yaml").read_text()


def test_a_config_that_somebody_put_there_is_left_alone(project: Path) -> None:
    (project / ".dagster").mkdir()
    (project / ".dagster/dagster.yaml").write_text("own: true\n")

    assert (dagster_home({}) / "dagster.yaml").read_text() == "own: true\n"


def test_a_link_that_leads_nowhere_is_renewed(project: Path) -> None:
    (project / ".dagster").mkdir()
    (project / ".dagster/dagster.yaml").symlink_to("/nowhere/dagster.yaml")

    assert (dagster_home({}) / "dagster.yaml").read_text().startswith("telemetry")


def test_an_open_home_is_closed(project: Path) -> None:
    (project / ".dagster").mkdir(mode=0o777)

    assert dagster_home({}).stat().st_mode & 0o777 == 0o700


def test_a_home_behind_a_link_is_refused(project: Path) -> None:
    (project / "elsewhere").mkdir()
    (project / ".dagster").symlink_to("elsewhere")

    with pytest.raises(SettingsWrong, match="is a link or belongs to another user"):
        dagster_home({})


def test_a_home_that_was_set_is_left_alone(project: Path) -> None:
    theirs = project / "theirs"
    theirs.mkdir(mode=0o755)

    assert dagster_home({"DAGSTER_HOME": str(theirs)}) == theirs
    assert list(theirs.iterdir()) == []
    assert theirs.stat().st_mode & 0o777 == 0o755
    assert not (project / ".dagster").exists()


@pytest.mark.parametrize("home", ["relative", "/not/there"])
def test_a_home_that_dagster_cannot_use_is_told(project: Path, home: str) -> None:
    (project / "relative").mkdir()

    with pytest.raises(SettingsWrong, match="DAGSTER_HOME holds"):
        dagster_home({"DAGSTER_HOME": home})
