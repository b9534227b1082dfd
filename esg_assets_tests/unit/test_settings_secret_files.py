"""Secrets in files (`X_FILE`): as containers mount them, and as an attacker would exchange them."""

import os
from pathlib import Path

import pytest

from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import load_settings
from esg_assets.settings.secret_files import unsafe_way

SECRET = "s3cr3t-w0rd"


def key_from(file: Path) -> str:
    """ESG_API_KEY as it is read from this file."""
    settings = load_settings(environ={"ESG_API_KEY_FILE": str(file)}, dotenv=None)
    assert settings.api_key is not None
    return settings.api_key.get_secret_value()


def refusal_of(file: Path) -> str:
    """The message that this file is refused with."""
    with pytest.raises(SettingsWrong) as refused:
        key_from(file)
    assert SECRET not in str(refused.value)
    return str(refused.value)


def secret_file(path: Path, mode: int = 0o600) -> Path:
    """A file with a secret in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SECRET + "\n", encoding="ascii")
    path.chmod(mode)
    return path


def test_a_secret_as_kubernetes_mounts_it_is_read(tmp_path: Path) -> None:
    """…/..data -> ..2026_11_24, …/key -> ..data/key, in a folder that is open to all but sticky."""
    mount = tmp_path / "mount"
    secret_file(mount / "..2026_11_24" / "key", 0o400)
    (mount / "..data").symlink_to("..2026_11_24")
    (mount / "key").symlink_to("..data/key")
    mount.chmod(0o1777)

    assert key_from(mount / "key") == SECRET


def test_a_rotated_secret_is_read_anew(tmp_path: Path) -> None:
    secret_file(tmp_path / "..1" / "key")
    secret_file(tmp_path / "..2" / "key").write_text("new", encoding="ascii")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "key").symlink_to("..data/key")
    assert key_from(tmp_path / "key") == SECRET

    (tmp_path / "..next").symlink_to("..2")
    (tmp_path / "..next").rename(tmp_path / "..data")

    assert key_from(tmp_path / "key") == "new"


@pytest.mark.parametrize("mode", [0o777, 0o707])
def test_a_folder_that_all_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    file = secret_file(tmp_path / "open" / "key")
    file.parent.chmod(mode)

    assert "is in a folder that others can write to" in refusal_of(file)


def test_a_link_is_followed_to_its_folder_too(tmp_path: Path) -> None:
    file = secret_file(tmp_path / "open" / "key")
    file.parent.chmod(0o777)
    (tmp_path / "link").symlink_to(file)

    assert "is in a folder that others can write to" in refusal_of(tmp_path / "link")


def test_a_way_back_out_of_an_open_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(0o777)
    (tmp_path / "open").chmod(0o777)
    secret_file(tmp_path / "key")
    (tmp_path / "open" / "link").symlink_to("../key")

    assert "is in a folder that others can write to" in refusal_of(tmp_path / "open" / "link")


def test_a_file_of_a_folder_of_the_group_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = secret_file(tmp_path / "shared" / "key")
    file.parent.chmod(0o770)
    assert unsafe_way(file) == ""  # the group of one's own
    monkeypatch.setattr(os, "getegid", lambda: file.parent.stat().st_gid + 1)

    assert unsafe_way(file) == "is in a folder that others can write to"


def test_what_belongs_to_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = secret_file(tmp_path / "key")
    if os.geteuid() == 0:
        os.chown(tmp_path, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)

    assert unsafe_way(file) == "is in a folder of another user"


def test_links_without_end_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")

    assert "loop of links" in refusal_of(tmp_path / "one")


@pytest.mark.parametrize("target", ["nothing", "/nothing/at/all"])
def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "link").symlink_to(target)

    assert "No such file" in refusal_of(tmp_path / "link")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666])
def test_a_file_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    assert "chmod 600" in refusal_of(secret_file(tmp_path / "key", mode))


def test_a_pipe_a_folder_and_an_empty_file_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(0o700)
    (tmp_path / "empty").touch(0o600)

    assert "is no regular file" in refusal_of(tmp_path / "pipe")
    assert "is no regular file" in refusal_of(tmp_path / "folder")
    assert "is empty" in refusal_of(tmp_path / "empty")


def test_a_setting_and_its_file_at_once_are_refused(tmp_path: Path) -> None:
    file = secret_file(tmp_path / "key")

    with pytest.raises(SettingsWrong, match="not both"):
        load_settings(environ={"ESG_API_KEY": "x", "ESG_API_KEY_FILE": str(file)}, dotenv=None)


def test_a_secret_written_where_its_file_belongs_is_not_shown() -> None:
    with pytest.raises(SettingsWrong) as refused:
        load_settings(environ={"ESG_API_KEY_FILE": SECRET}, dotenv=None)

    assert SECRET not in str(refused.value)
