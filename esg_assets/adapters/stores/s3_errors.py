"""Errors of obstore and boto3 in words of ours, without their text: it holds URLs and answers of a server."""

import contextlib
from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from esg_assets.core.errors import KeyExists, KeyMissing, StoreUnavailable

_TAKEN = frozenset({"PreconditionFailed", "412"})
_REFUSED = frozenset(
    {
        "AccessDenied",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "401",
        "403",
    }
)
# Listing and deleting say it in the text only; deleting with a status of 200, as it asks for several at once.
_REFUSED_IN_WORDS = ("403 Forbidden", "401 Unauthorized", "(code: AccessDenied)")
_NO_SUCH_KEY = frozenset({"NoSuchKey", "404"})


@contextlib.contextmanager
def translated(doing: str, key: str) -> Iterator[None]:
    """Errors inside the block as KeyExists, KeyMissing or StoreUnavailable.

    Args:
        doing: such as "Reading chain/00000001 from the store"; stands at the start of the message.
        key: the object's name.
    """
    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise KeyExists(f"{key} is in the store already.") from None
    except ClientError as error:
        raise _of_answer(doing, key, code(error)) from None
    except (NoCredentialsError, PartialCredentialsError):
        raise refused(doing) from None
    except BotoCoreError:
        raise unavailable(doing) from None
    except (BaseError, OSError) as error:
        text = str(error)
        if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in text:
            raise KeyMissing(f"There is no {key} in the store.") from None
        denied = isinstance(error, PermissionDeniedError | UnauthenticatedError)
        if denied or any(words in text for words in _REFUSED_IN_WORDS):
            raise refused(doing) from None
        raise unavailable(doing) from None


def code(error: ClientError) -> str:
    """What the server calls it, such as NoSuchKey; a status where it sends no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def retried(answer: ClientError) -> bool:
    """Whether the request had been sent before, so that an earlier one may have done what it asked."""
    return bool(answer.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))


def _of_answer(doing: str, key: str, what: str) -> Exception:
    if what in _TAKEN:
        return KeyExists(f"{key} is in the store already.")
    if what in _NO_SUCH_KEY:
        return KeyMissing(f"There is no {key} in the store.")
    if what in _REFUSED:
        return refused(doing)
    if what.startswith(("KMS.", "Kms")):
        return StoreUnavailable(
            f"{doing} failed: the bucket's KMS key cannot be used ({what}). Look at the key, its policy and "
            "ESG_STORE_KMS_KEY."
        )
    return unavailable(doing)


def refused(doing: str) -> StoreUnavailable:
    """The store does not let these credentials do that."""
    return StoreUnavailable(
        f"{doing} failed: the store refuses these credentials. "
        "Look at their rights to the bucket, and whether they have expired."
    )


def unavailable(doing: str) -> StoreUnavailable:
    """The store does not answer."""
    return StoreUnavailable(
        f"{doing} failed: the store did not answer, or not rightly, in several tries. "
        "Look whether it is up and the bucket is there; then run it again."
    )
