"""What the simulators can be told, as one dataclass and as command-line arguments."""

import argparse
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from esg_assets.simulators.account_faults import AccountFaults
from esg_assets.simulators.credentials import SCHEMES
from esg_assets.simulators.faults import Faults
from esg_assets.simulators.outage import Outage
from esg_assets.simulators.providers import PROVIDERS
from esg_assets.simulators.rate_limit import STYLES
from esg_assets.simulators.token_faults import TokenFaults


def _option(default: Any, says: str) -> Any:
    """A field with the text that `--help` shows."""
    return field(default=default, metadata={"help": says})


@dataclass(frozen=True)
class Options:
    """Everything that can be told; all values are plain (text, numbers, booleans).

    Raises:
        ValueError: a value is not possible; says which and what is wanted.
    """

    host: str = _option("127.0.0.1", "address to listen on")
    port: int = _option(0, "port to listen on; 0 takes a free one")
    accounts: int = _option(1000, "how many accounts to generate, where no accounts file is given")
    accounts_file: str = _option("", "CSV of accounts to serve instead")
    ratings_file: str = _option("", "CSV of ratings to serve instead of generated ones")
    plain_ids: bool = _option(default=False, says="generate no awkward ids (slashes, formulas, CJK ...)")
    any_account: bool = _option(default=False, says="generate a rating for any id, known or not")
    inactive: float = _option(0.05, "share of generated accounts that is closed or suspended")
    unrated: float = _option(0.01, "share of accounts for which no rating is generated")
    seed: int = _option(0, "decides everything that is generated or drawn")
    no_history: bool = _option(default=False, says="the account system refuses as_of")
    cursor_seconds: float = _option(300.0, "how long a cursor of the account list lives")
    accounts_faults: str = _option("", "faults of the account system, such as 503=2,expired=1,wrong_total")
    provider: str = _option("contract", f"whose shape the ESG API has besides: {', '.join(PROVIDERS)}")
    rate: float = _option(0.0, "calls per second that the ESG API allows; 0: any number")
    burst: float = _option(0.0, "calls that it allows at once; 0: as many as in a tenth of a second")
    limit_headers: str = _option("draft", f"how the limit is announced: {', '.join(STYLES)}")
    latency: float = _option(0.0, "seconds that each rating takes")
    faults: str = _option("", "faults of the ESG API, such as 500=0.05,timeout=0.01/sticky,503=0.1:2/first2")
    outage: str = _option("", "rating calls FIRST-LAST[/KIND] that fail, such as 101-250/503")
    redirect_to: str = _option("http://elsewhere.invalid/", "where a redirect that was ordered leads")
    auth: str = _option("oauth2", f"what the ESG API accepts, comma-separated: {', '.join(SCHEMES)}")
    accounts_auth: str = _option("", "the same for the account system; as the ESG API if not given")
    client_id: str = _option("demo-client", "of the one client that gets tokens")
    client_secret: str = _option("demo-secret", "of that client")
    api_key: str = _option("demo-api-key", "the API key that is accepted")
    bearer_token: str = _option("demo-bearer-token", "the static bearer token that is accepted")
    token_seconds: int = _option(3600, "how long an issued token lives")
    token_faults: str = _option("", "faults of the token endpoint, such as 503=2,reset=1")
    tls_cert: str = _option("", "PEM certificate: serve https")
    tls_key: str = _option("", "PEM key of that certificate")
    tls_client_ca: str = _option("", "PEM of the CA whose client certificates are demanded (mutual TLS)")
    control: bool = _option(default=False, says="serve statistics and control under /_simulator/")

    def __post_init__(self) -> None:
        for name, least in (("accounts", 0), ("rate", 0), ("burst", 0), ("latency", 0), ("token_seconds", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{_flag(name)}: {getattr(self, name)} is below {least}")
        if self.provider not in PROVIDERS:
            raise ValueError(f"--provider: {self.provider!r} is none of {', '.join(PROVIDERS)}")
        if self.limit_headers not in STYLES:
            raise ValueError(f"--limit-headers: {self.limit_headers!r} is none of {', '.join(STYLES)}")
        for name in ("auth", "accounts_auth"):
            if not self.schemes(name) <= set(SCHEMES):
                raise ValueError(f"{_flag(name)}: {getattr(self, name)!r} has more than {', '.join(SCHEMES)}")
        Faults.parse(self.faults)
        AccountFaults.parse(self.accounts_faults)
        TokenFaults.parse(self.token_faults)
        Outage.parse(self.outage)

    def schemes(self, name: str) -> frozenset[str]:
        """The authentication schemes in `auth` or `accounts_auth`."""
        given = getattr(self, name) or self.auth
        return frozenset(part.strip() for part in given.split(","))

    @property
    def burst_in_force(self) -> float:
        """`burst`, or what stands for it."""
        return self.burst or max(1.0, self.rate / 10)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One flag for each field of Options: `accounts_file` is --accounts-file."""
    for option in fields(Options):
        says = option.metadata["help"].replace("%", "%%")
        if option.default is MISSING or option.type is bool:
            parser.add_argument(_flag(option.name), action="store_true", help=says)
        else:
            shown = "" if option.default in ("", 0) else f" (default: {option.default})"
            parser.add_argument(
                _flag(option.name), type=type(option.default), default=option.default, help=says + shown
            )


def options_from(arguments: argparse.Namespace) -> Options:
    """The Options that were parsed. Raises ValueError for impossible values."""
    return Options(**{option.name: getattr(arguments, option.name) for option in fields(Options)})


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
