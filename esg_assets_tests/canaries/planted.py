"""What is planted for one failure mode: a few of every kind, found nowhere else, told by its number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NoReturn
from urllib.parse import quote

from esg_assets.core.ratings import Reply
from esg_assets_tests.fakes import rating_reply

COUNT = 12
KINDS = (
    "account id",
    "account name",
    "score",
    "market value",
    "password",
    "token",
    "API key",
    "client secret",
)


@dataclass(frozen=True)
class Canary:
    """The canaries of failure mode `number` (0 to 999)."""

    number: int

    @property
    def ids(self) -> list[str]:
        return [f"QZK{self.number:03d}-{n:02d}/é" for n in range(COUNT)]

    @property
    def names(self) -> list[str]:
        return [f"Wendelgard Öxle & {self.number:03d}-{n:02d}" for n in range(COUNT)]

    @property
    def scores(self) -> list[str]:
        return [f"{62 + n}.9182{self.number:03d}7" for n in range(COUNT)]

    @property
    def values(self) -> list[str]:
        return [f"48{self.number:03d}{n:02d}.37" for n in range(COUNT)]

    @property
    def password(self) -> str:
        return f"pw {self.number:03d}&x/y?Zz@%"

    @property
    def token(self) -> str:
        return f"tok3n-{self.number:03d}.aBcD_e"

    @property
    def api_key(self) -> str:
        return f"k3y-{self.number:03d}-aBcDeF"

    @property
    def client_secret(self) -> str:
        return f"cl1ent+{self.number:03d}/aBcDeF="

    @cached_property
    def kinds(self) -> Mapping[str, list[str]]:
        """Every canary by its kind, as KINDS names them."""
        found = (
            self.ids,
            self.names,
            self.scores,
            self.values,
            [self.password],
            [self.token],
            [self.api_key],
            [self.client_secret],
        )
        return dict(zip(KINDS, found, strict=True))

    def rows(self, count: int = COUNT) -> list[dict[str, object]]:
        """The account system's rows."""
        return [
            {
                "account_id": self.ids[n],
                "account_name": self.names[n],
                "account_type": "ira",
                "base_currency": "USD",
                "market_value": self.values[n],
                "status": "active",
            }
            for n in range(count)
        ]

    def reply(self, account_id: str, as_of: date, **fields: object) -> Reply:
        """The provider's good answer, with the account's score."""
        score = float(self.scores[self.ids.index(account_id)]) if account_id in self.ids else 50.0
        return rating_reply(
            account_id, as_of, **{"overall_score": score, "environmental_score": score, **fields}
        )

    def script(self, **of_account: Reply | Exception) -> dict[str, list[Reply | Exception]]:
        """Other answers for some accounts: `a3=Reply(...)` is that of the fourth."""
        return {self.ids[int(name[1:])]: [reply] for name, reply in of_account.items()}

    @property
    def url(self) -> str:
        """A URL with a password and a token in it; nobody answers there."""
        password = quote(self.password, safe="")
        return f"postgresql+psycopg://esg:{password}@127.0.0.1:9/x?application_name={self.token}"

    @property
    def text(self) -> str:
        """What a library may put into the text of an exception: everything it worked on."""
        return (
            f"row {self.ids[3]!r}, {self.names[3]}, {self.scores[3]}, {self.values[3]} of {self.url}; "
            f"Authorization: Bearer {self.token}; x-api-key: {self.api_key}; password={self.password}; "
            f"client_secret={self.client_secret}"
        )

    @property
    def body(self) -> bytes:
        """An answer that nobody expects, with everything in it."""
        return f'{{"error": "{self.text}"}}'.encode()

    def blow(self, *_: object, **__: object) -> NoReturn:
        """Raise an error with everything in its text, notes, cause, context and local variables."""
        held = {"row": self.rows(), "url": self.url}
        try:
            try:
                raise KeyError(self.ids[3], held)  # noqa: TRY301  # a context
            except KeyError as error:
                error.add_note(self.text)
                raise OSError(5, self.text, self.names[3]) from error
        except OSError as error:
            failed = ValueError(self.text, held)
            failed.add_note(f"while reading {self.text}")
            raise failed from error

    def exit(self, *_: object, **__: object) -> NoReturn:
        """Leave the interpreter with a text, as careless libraries do."""
        raise SystemExit(self.text)

    def several(self, *_: object, **__: object) -> NoReturn:
        """An exception group, as task groups raise them."""
        raise ExceptionGroup(self.text, [ValueError(self.text), KeyError(self.text)])


Blow = Callable[..., NoReturn]
