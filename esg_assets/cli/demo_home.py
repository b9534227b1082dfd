"""The demo's own home: its keys, its settings and its simulators; nothing of it touches anything else.

A demo key says so in its file name, so that no real report is ever sealed with one (`prod` refuses it).
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from esg_assets.core.errors import SettingsWrong
from esg_assets.simulators.options import Options

HOME = Path(".demo")
RATE = 250.0
FAULTS = "500=0.06/first1,timeout=0.002/first1,truncated=0.01/first1,422=0.004/sticky"
"""A night as nights are: some calls fail at first, a few accounts can never be rated."""


class DemoHome:
    """`./.demo`: made when it is not there, with modes 0700 and 0600."""

    def __init__(self, home: Path = HOME) -> None:
        self.path = home.absolute()
        self.keys = self.path / "keys"
        self.dagster_home = self.path / "home"
        self.file = self.path / "settings.env"

    def prepare(self) -> None:
        """Make what is missing."""
        from esg_assets.adapters import keys  # noqa: PLC0415 - slow to import

        if self.path.is_symlink():
            raise SettingsWrong(f"{self.path} is a link; remove it, the demo makes a folder of its own.")
        for folder in (self.path, self.dagster_home):
            folder.mkdir(mode=0o700, exist_ok=True)
        if not self.keys.is_dir():
            keys.generate(self.keys, prefix=keys.DEMO_PREFIX)
        config = next((p for p in (Path("dagster.yaml"), _PROJECT / "dagster.yaml") if p.is_file()), None)
        link = self.dagster_home / "dagster.yaml"
        if config is not None and not link.exists():
            link.symlink_to(os.path.relpath(config.absolute(), self.dagster_home))

    def key(self, name: str) -> Path:
        """One of the demo's key files."""
        from esg_assets.adapters.keys import DEMO_PREFIX  # noqa: PLC0415 - slow to import

        return self.keys / f"{DEMO_PREFIX}{name}"

    def environment(self, url: str) -> Mapping[str, str]:
        """The demo's settings, for simulators at `url`."""
        options = Options()
        return {
            "DAGSTER_HOME": str(self.dagster_home),
            "ESG_ENV": "dev",
            "ESG_ACCOUNTS_URL": url,
            "ESG_ACCOUNTS_AUTH": "oauth2",
            "ESG_ACCOUNTS_TOKEN_URL": f"{url}/oauth2/token",
            "ESG_ACCOUNTS_CLIENT_ID": options.client_id,
            "ESG_ACCOUNTS_CLIENT_SECRET": options.client_secret,
            "ESG_API_URL": url,
            "ESG_API_AUTH": "oauth2",
            "ESG_API_TOKEN_URL": f"{url}/oauth2/token",
            "ESG_API_CLIENT_ID": options.client_id,
            "ESG_API_CLIENT_SECRET": options.client_secret,
            "ESG_API_RATE_LIMIT": f"{RATE:g}",
            "ESG_API_TIMEOUT_SECONDS": "3",
            "ESG_METRICS": "waci_tco2e_per_musd_revenue:tCO2e/MUSD revenue:lower",
            "ESG_WORKING_KEY": str(self.key("working.key")),
            "ESG_SIGNING_KEY": str(self.key("signing.pem")),
            "ESG_REPORT_RECIPIENTS": str(self.key("recipient.pub.pem")),
        }

    def take_over(self, url: str) -> None:
        """Let this process and its children see the demo's settings and no others; leave them in `file`."""
        for name in [name for name in os.environ if name.startswith("ESG_")]:
            del os.environ[name]
        os.environ.update(self.environment(url))
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in self.environment(url).items()]
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(lines)


def simulators(accounts: int, seed: int = 0) -> Options:
    """What the demo's simulators serve."""
    return Options(accounts=accounts, seed=seed, rate=RATE, faults=FAULTS)


_PROJECT = Path(__file__).resolve().parents[2]
