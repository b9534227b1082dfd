"""Whatever a secret is made of and wherever in a setting it stands: nothing of it is ever shown."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from esg_assets.core.errors import SettingsWrong
from esg_assets.settings import SECRETS, load_settings, variable_of
from esg_assets.settings.masking import SecretUrl, mask_url, shown_raw

PLANTED = "hunter2xyz"
ODD = st.text("aZ9@:/?#[]%&=;,.\\ \t~*'\"é€", max_size=6)
SECRET = st.builds(lambda before, after: f"{before}{PLANTED}{after}", ODD, ODD)
SCHEMES = st.sampled_from(
    [
        "https",
        "http",
        "postgresql+psycopg",
        "postgresql",
        "mysql",
        "sqlite",
        "s3",
        "gs",
        "smtps",
        "smtp+starttls",
    ]
)
HOSTS = st.sampled_from(
    ["db.example.com", "db.example.com:5432", "[::1]:443", "h1:5432,h2:5433", "bucket", "127.0.0.1:80", ""]
)

URLS = st.one_of(
    st.builds("{}://{}:{}@{}/path".format, SCHEMES, ODD, SECRET, HOSTS),
    st.builds("{}://{}:{}@{}/path".format, SCHEMES, SECRET, ODD, HOSTS),
    st.builds("{}://{}@{}".format, SCHEMES, SECRET, HOSTS),
    st.builds("{}://{}/path?a=b&{}={}".format, SCHEMES, HOSTS, ODD, SECRET),
    st.builds("{}://{}/path?{}".format, SCHEMES, HOSTS, SECRET),
    st.builds("{}://{}/path#{}".format, SCHEMES, HOSTS, SECRET),
    st.builds("{}://{}/path;{}={}".format, SCHEMES, HOSTS, ODD, SECRET),
    # The host was forgotten.
    st.builds("{}://user:{}".format, SCHEMES, st.just(PLANTED)),
    st.builds("user:{}@{}/path".format, SECRET, HOSTS),
    st.builds("host=db password={}".format, SECRET),
    st.builds("password={}".format, SECRET),
    st.builds("user:{}".format, SECRET),
)


@given(URLS)
@settings(max_examples=400, deadline=None)
def test_no_secret_of_a_url_survives_masking(url: str) -> None:
    assert PLANTED not in mask_url(url)
    assert PLANTED not in mask_url(url, hide_path=True)
    assert PLANTED not in repr(SecretUrl(url))
    for kind in (None, SecretUrl, SecretStr):
        assert PLANTED not in shown_raw(url, kind) or (kind is None and "://" not in url)


@given(st.sampled_from(sorted(SECRETS)), URLS)
@settings(max_examples=300, deadline=None)
def test_no_secret_setting_shows_it_whether_it_is_accepted_or_refused(field: str, url: str) -> None:
    environ = {"ESG_ENV": "test", "ESG_ALERT_EMAIL_FROM": "a@example.com", variable_of(field): url}
    try:
        loaded = load_settings(environ=environ, dotenv=None)
    except SettingsWrong as error:
        shown = f"{error} {error!r}"
    else:
        shown = f"{loaded.shown()} {loaded!r} {loaded.sources()} {loaded.model_dump_json()}"
    assert PLANTED not in shown


@given(SCHEMES, HOSTS, st.from_regex(r"(/[A-Za-z0-9._=-]{1,8}){0,3}", fullmatch=True))
def test_scheme_host_and_path_stay(scheme: str, host: str, path: str) -> None:
    assert mask_url(f"{scheme}://user:{PLANTED}@{host}{path}?x={PLANTED[:0]}") == f"{scheme}://{host}{path}"


@pytest.mark.parametrize(
    "url",
    [
        f"tgram://{PLANTED}/chat",
        f"slack://{PLANTED}/b/c",
        f"discord://id/{PLANTED}",
        f"mailto://user:{PLANTED}@example.com",
        f"json://host/{PLANTED}\n",
    ],
)
def test_nothing_but_the_mask_is_shown_of_an_apprise_url(url: str) -> None:
    loaded = load_settings(environ={"ESG_APPRISE_URLS": url}, dotenv=None, tolerant=True)

    assert PLANTED not in str(loaded.shown()) + str(loaded.faults)
    assert not re.search(r"tgram|slack|discord|mailto|json", str(loaded.shown()["ESG_APPRISE_URLS"]))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"s3://AKIA:{PLANTED}@bucket/prefix", "s3://bucket/prefix"),
        (f"gs://bucket/prefix?access_token={PLANTED}", "gs://bucket/prefix"),
        (
            f"postgresql+psycopg://u:{PLANTED}@h1:5432,h2:5433/db?target_session_attrs=any",
            "postgresql+psycopg://h1:5432,h2:5433/db",
        ),
        (f"postgresql://u:p%40{PLANTED}%2F@db/history", "postgresql://db/history"),
        (f"postgresql:///db?host=h1&password={PLANTED}", "postgresql:///db"),
        (f"smtps://u:{PLANTED}@[::1]:465", "smtps://[::1]:465"),
    ],
)
def test_what_is_shown_of_urls_with_credentials(url: str, shown: str) -> None:
    assert mask_url(url) == shown
