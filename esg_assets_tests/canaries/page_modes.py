"""The readers' pages: made of a partial report and its correction, and when what makes them breaks.

Pages end below `Ground.written`, where everything is searched; a mode fails if no page was written.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest

from esg_assets.cli import main as cli
from esg_assets.core.ratings import Reply
from esg_assets.site.files import SiteFolder
from esg_assets_tests.canaries.ground import Ground
from esg_assets_tests.canaries.mode import Mode
from esg_assets_tests.canaries.planted import Canary
from esg_assets_tests.pipeline.house import Config

_ALL_AGAIN: Config = {"esg_ratings": {"refresh": "all"}}


def _mode(name: str, arguments: Sequence[str], status: int, *, blows: str = "", versions: int = 1) -> Mode:
    """`site build` over a report of the canary's accounts, of which one failed.

    Args:
        name: for the table.
        arguments: after `site build`.
        status: its exit status.
        blows: what raises an error with everything in its text, as `module.name`.
        versions: of the report; in the second another account failed.
    """

    def drive(ground: Ground, canary: Canary) -> None:
        folder = ground.written / f"pages_{canary.number}"
        script = canary.script(a4=Reply(422))
        assert ground.run(canary, script=script, blocks=False).success
        if versions > 1:
            script = canary.script(a3=Reply(422), a4=Reply(422))
            assert ground.run(canary, script=script, config=_ALL_AGAIN, blocks=False).success
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in ground.environ(ESG_SITE_FOLDER=str(folder)).items():
                patch.setenv(variable, value)
            if blows:
                patch.setattr(f"esg_assets.{blows}", canary.blow)
            assert cli.run(["site", "build", *arguments]) == status
        if status == 0:
            _made(folder, ground, canary, versions)

    return Mode(f"pages: {name}", drive)


def _made(folder: Path, ground: Ground, canary: Canary, versions: int) -> None:
    """The pages are there, of this report: nothing else would make the search worth anything."""
    day = ground.day(canary)
    kinds = ["index.html", "latest/index.html", "trends/everything.html", f"reports/{day}/index.html"]
    for name in [*kinds, *(f"reports/{day}/v{version}.html" for version in range(1, versions + 1))]:
        assert SiteFolder(folder).read(name).rstrip().endswith("</html>")


MODES = [
    _mode("a partial report", [], 0),
    _mode("a partial report and its correction", ["--json"], 0, versions=2),
    _mode("drawing breaks, --traceback", ["--traceback"], 1, blows="site.rendering.day_charts"),
    _mode("what a page shows breaks", ["--json"], 1, blows="site.building.daily_page"),
    _mode("writing breaks, --traceback", ["--traceback"], 1, blows="site.files.SiteFolder.write"),
]
