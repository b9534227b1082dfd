"""What a contender is told: one JSON file. Standard library only: peers have nothing else of ours."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class Task:
    """One collection.

    Attributes:
        url: base URL of the server.
        ca: PEM file of the authority to trust; "" for plain http.
        token: bearer token.
        as_of: the date to ask for, ISO.
        accounts: file of account ids, one a line.
        rate: calls per second allowed; 0 for no limit.
        in_flight: calls in flight at most.
        out: folder for results; what was there before a kill is still there at the restart.
    """

    url: str
    ca: str
    token: str
    as_of: str
    accounts: str
    rate: float
    in_flight: int
    out: str

    @classmethod
    def told(cls) -> "Task":
        """The task in the file that the first argument names."""
        return cls(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))

    def write(self, file: Path) -> None:
        """The file for `told`."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @property
    def account_ids(self) -> list[str]:
        """The accounts to ask for."""
        return Path(self.accounts).read_text(encoding="utf-8").split()

    @property
    def headers(self) -> dict[str, str]:
        """Header fields of each call."""
        return {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}

    def rating_url(self, account_id: str) -> str:
        """Where one account's rating is."""
        return f"{self.url}/v1/accounts/{quote(account_id, safe='')}/esg-rating?as_of={self.as_of}"
