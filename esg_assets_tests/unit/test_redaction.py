"""Secrets are taken out of texts in the ways in which texts write them."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esg_assets.core.redaction import MASK, SHORTEST, Redactor
from esg_assets.settings import load_settings
from esg_assets.settings.known_secrets import known

PASSWORD = "p&ss w/rd?x=ü%"
KNOWN = Redactor([PASSWORD, "postgresql://esg:n0body-knows@db/history?sslpassword=s3cond-one", "plain-t0ken"])


@pytest.mark.parametrize(
    "written",
    [
        PASSWORD,
        quote(PASSWORD, safe=""),
        quote(PASSWORD),
        quote_plus(PASSWORD),
        json.dumps(PASSWORD)[1:-1],
        base64.b64encode(PASSWORD.encode()).decode(),
        "n0body-knows",
        "s3cond-one",
        "plain-t0ken",
    ],
)
def test_a_known_secret_is_masked_in_every_form(written: str) -> None:
    assert KNOWN(f"before {written} after") == f"before {MASK} after"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to https://user:pw@host/path failed", f"to https://{MASK}@host/path failed"),
        ("Authorization: Bearer abc.def-1", f"{MASK} abc.def-1"),
        ("sent 'Bearer abc.def-1'", f"sent 'Bearer {MASK}'"),
        ("GET /v1?as_of=2026-01-14&api_key=123", f"GET /v1?as_of=2026-01-14&{MASK}"),
        ('{"access_token": "abc", "n": 1}', f'{{{MASK}, "n": 1}}'),
        ("client_secret=abc&grant=x", f"{MASK}&grant=x"),
        (
            "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\nrest",
            f"{MASK}\nrest",
        ),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, shown: str) -> None:
    masked = Redactor()(text)
    assert masked == shown or "abc" not in masked


@pytest.mark.parametrize(
    "text",
    [
        "asking for 1,200 accounts as of 2026-01-14, at most 50 calls/s",
        "version 2 of 2026-01-15 is chain entry 7",
        "https://host/path?as_of=2026-01-14",
        "ESG_API_KEY is not set",
        "ESG_WORKING_KEY holds nothing; `esg-assets keys generate DIR` makes the keys",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert KNOWN(text) == text


@settings(deadline=None, max_examples=60)
@given(st.text(min_size=SHORTEST).filter(lambda text: "*" not in text), st.text(), st.text())
def test_no_known_secret_stays_in_a_text(secret: str, before: str, after: str) -> None:
    masked = Redactor([secret])(f"{before}{secret}{after}")
    assert secret not in masked


def test_settings_that_are_read_are_known_from_then_on_also_wrong_ones() -> None:
    load_settings(
        environ={
            "ESG_API_CLIENT_SECRET": "qz-client-secret",
            "ESG_SMTP_URL": "smtps://who:qz-mail-password@mail/no\x00",
        },
        dotenv=None,
        tolerant=True,
    )
    assert "qz-client-secret" in known()
    assert "qz-mail-password" not in Redactor(known())("password was qz-mail-password")
