"""The .env in the working folder: read only if it is ours alone, and never in prod."""

import os
import stat
from pathlib import Path

import pytest

from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import load_settings
from esg_assets.settings.secret_files import unsafe


class TestDotenv:
    """A .env in the working folder."""

    @pytest.fixture(autouse=True)
    def _in(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    def _write(self, text: str = "ESG_API_RATE_LIMIT=7\n", mode: int = 0o600) -> Path:
        file = Path(".env")
        file.write_text(text)
        file.chmod(mode)
        return file

    def _refused(self, why: str, **variables: str) -> None:
        with pytest.raises(SettingsWrong, match=why):
            load_settings(environ=variables)

    def test_gives_what_the_environment_does_not(self) -> None:
        self._write("ESG_API_RATE_LIMIT=7\nESG_API_BURST=3\nexport ESG_MIN_CELL='12' # comment\n")

        settings = load_settings(environ={"ESG_API_BURST": "9"})

        assert (settings.api_rate_limit, settings.api_burst, settings.min_cell) == (7, 9, 12)
        sources = settings.sources()
        assert sources["ESG_API_RATE_LIMIT"] == ".env"
        assert sources["ESG_API_BURST"] == "environment"

    def test_nothing_in_it_is_expanded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", "/elsewhere")
        self._write("ESG_API_KEY=a${HOME}$HOME\n")

        settings = load_settings(environ={})

        assert settings.api_key is not None
        assert settings.api_key.get_secret_value() == "a${HOME}$HOME"

    def test_is_not_read_in_prod(self) -> None:
        self._write("ESG_API_RATE_LIMIT=7\nthis line is broken\n")

        with pytest.raises(SettingsWrong) as caught:
            load_settings("run", environ={"ESG_ENV": "prod"})

        assert ".env" not in str(caught.value)
        assert load_settings(environ={"ESG_ENV": "prod"}, tolerant=True).api_rate_limit == 50

    def test_that_dagster_loaded_into_the_environment_is_refused_in_prod(self) -> None:
        self._write("ESG_API_RATE_LIMIT=7\nESG_API_BURST=3\n", mode=0o666)

        self._refused(r"ESG_API_BURST\), as Dagster does", ESG_ENV="prod", ESG_API_BURST="3")
        load_settings(environ={"ESG_ENV": "prod", "ESG_API_BURST": "4"})

    def test_is_not_read_when_the_environment_is_no_word_we_know(self) -> None:
        self._write()

        assert load_settings(environ={"ESG_ENV": "prd"}, tolerant=True).api_rate_limit == 50

    def test_cannot_make_this_prod(self) -> None:
        self._write("ESG_ENV=prod\nESG_API_RATE_LIMIT=7\n")

        self._refused("sets ESG_ENV to something else than dev or test")
        assert load_settings(environ={}, tolerant=True).api_rate_limit == 50

    @pytest.mark.parametrize(
        "command",
        ["report verify", "report decrypt", "report account", "report diff", "report reproduce"],
    )
    def test_is_never_read_for_verify_and_decrypt(self, command: str) -> None:
        self._write("ESG_STORE_URL=/tmp/forged\nESG_VERIFY_KEYS=/tmp/forged.pub.pem\n", mode=0o666)

        settings = load_settings(command, environ={})

        assert settings.verify_keys == ()
        assert "forged" not in settings.store_url.get_secret_value()

    @pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
    def test_that_others_can_write_is_refused(self, mode: int) -> None:
        self._write(mode=mode)

        self._refused("can be written by others")

    def test_of_somebody_else_is_refused(self) -> None:
        theirs = list(os.stat_result(self._write().stat()))
        theirs[stat.ST_UID] = os.geteuid() + 1

        assert unsafe(os.stat_result(theirs), secret=False) == "belongs to another user"

    def test_that_is_a_link_is_refused(self) -> None:
        self._write().rename("elsewhere")
        Path(".env").symlink_to("elsewhere")

        self._refused("cannot be read")

    def test_that_is_a_pipe_or_a_folder_is_refused_without_waiting(self) -> None:
        os.mkfifo(".env", 0o600)
        self._refused("no regular file")
        Path(".env").unlink()
        Path(".env").mkdir(0o700)
        self._refused("no regular file")

    def test_with_a_line_that_cannot_be_read_is_refused_without_showing_it(self) -> None:
        self._write("ESG_MIN_CELL=12\ns3cr3t value\n")

        with pytest.raises(SettingsWrong) as caught:
            load_settings(environ={})

        assert "line 2" in str(caught.value)
        assert "s3cr3t" not in str(caught.value)

    def test_a_broken_value_is_told_with_its_source(self) -> None:
        self._write("ESG_API_RATE_LIMIT=0\n")

        self._refused(r"ESG_API_RATE_LIMIT holds '0' \(\.env\); wanted: greater than 0")

    def test_a_broken_secret_in_the_environment_does_not_fall_back_to_it(self) -> None:
        self._write("ESG_API_KEY=from-the-file\n")

        settings = load_settings(environ={"ESG_API_KEY": "two\nlines"}, tolerant=True)

        assert settings.api_key is None
        assert settings.sources()["ESG_API_KEY"] == "default"


def test_a_file_of_root_that_all_may_read_is_a_mounted_secret(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.touch()
    mounted = list(file.stat())
    mounted[stat.ST_UID], mounted[stat.ST_MODE] = 0, stat.S_IFREG | 0o444
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert unsafe(os.stat_result(mounted)) == ""
    mounted[stat.ST_UID] = 1000
    assert unsafe(os.stat_result(mounted)) == "can be read by others (chmod 600)"
