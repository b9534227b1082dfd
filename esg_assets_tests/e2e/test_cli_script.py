"""The installed console script, in processes of its own."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

SCRIPT = str(Path(sys.executable).with_name("esg-assets"))
SECRET = "s3cr3t-w0rd"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)


class TestScript:
    """The installed console script."""

    def _run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SCRIPT, *arguments],
            env={"PATH": os.environ["PATH"], **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def test_help_is_quick_because_nothing_slow_is_imported(self) -> None:
        program = (
            "import sys; from esg_assets.cli.main import run; run(['--help']);"
            "slow = {'dagster', 'pyarrow', 'cryptography', 'sqlalchemy', 'requests', 'boto3', 'pydantic'};"
            "print('SLOW', sorted(slow & set(sys.modules)))"
        )

        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

        assert done.stdout.splitlines()[-1] == "SLOW []"

    def test_settings_in_json_from_the_environment(self) -> None:
        done = self._run("settings", "--json", ESG_API_KEY=SECRET, ESG_API_RATE_LIMIT="9")

        assert done.returncode == 0
        assert done.stderr == ""
        told = json.loads(done.stdout)
        values = {item["name"]: (item["value"], item["source"]) for item in told["settings"]}
        assert values["ESG_API_KEY"] == ("********", "environment")
        assert values["ESG_API_RATE_LIMIT"] == ("9", "environment")
        assert values["ESG_API_BURST"] == ("1", "default")
        assert SECRET not in done.stdout

    def test_a_wrong_setting_ends_with_2(self) -> None:
        done = self._run("settings", ESG_API_RATE_LIMIT="0")

        assert done.returncode == 2
        assert "ESG_API_RATE_LIMIT holds '0'" in done.stdout

    def test_the_version_is_told(self) -> None:
        assert self._run("--version").stdout.startswith("esg-assets 0.")

    def test_a_reader_who_leaves_early_causes_no_traceback(self) -> None:
        done = subprocess.run(
            ["bash", "-c", f"'{SCRIPT}' settings | head -1"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )

        assert "Traceback" not in done.stderr

    def test_keys_are_generated_and_never_overwritten(self, tmp_path: Path) -> None:
        done = self._run("keys", "generate", str(tmp_path / "keys"), "--json")

        names = ["working.key", "signing.pem", "signing.pub.pem", "recipient.pem", "recipient.pub.pem"]
        assert done.returncode == 0
        assert json.loads(done.stdout) == {"files": [f"{tmp_path}/keys/{name}" for name in names]}
        before = {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()}

        again = self._run("keys", "generate", str(tmp_path / "keys"), "--only", "host")

        assert again.returncode == 1
        assert "never overwritten" in again.stderr
        assert {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()} == before

    @pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
    def test_simulate_says_where_it_is_and_ends_well(self, end: signal.Signals) -> None:
        process = subprocess.Popen(
            [SCRIPT, "simulate", "--accounts", "3", "--auth", "none", "--json"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        with process:
            told = json.loads(process.stdout.readline())
            with urllib.request.urlopen(f"{told['url']}/v1/accounts", timeout=10) as answer:
                assert answer.status == 200
            process.send_signal(end)
            assert process.stdout.read() == ""
            assert process.wait(10) == 0

    def test_simulate_refuses_what_it_cannot_do(self) -> None:
        wrong = self._run("simulate", "--rate", "-1")
        assert wrong.returncode == 2
        assert "--rate: -1.0 is below 0" in wrong.stderr

        missing = self._run("simulate", "--accounts-file", "/not/there.csv", "--json")
        assert missing.returncode == 2
        assert json.loads(missing.stdout)["kind"] == "Usage"
