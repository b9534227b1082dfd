"""What an error code of AWS KMS, or an exception of its client, means for whoever asked."""

from dataclasses import dataclass

from esg_assets.core.errors import AccessDenied, EsgError, KeysUnavailable, Refused, SettingsWrong


@dataclass(frozen=True)
class Asked:
    """Which key was asked for.

    Attributes:
        setting: what named it.
        key: its id.
        region: where it is.
    """

    setting: str
    key: str
    region: str

    def __str__(self) -> str:
        return f"{self.setting} (key {self.key} in AWS KMS, {self.region})"


_NOT_OURS = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
"""What was to be opened is not what this key sealed: for whoever opens it to say."""

_DENIED = frozenset(
    {
        "AccessDeniedException",
        "AccessDenied",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "IncompleteSignature",
        "SignatureDoesNotMatch",
        "ExpiredTokenException",
        "ExpiredToken",
        "MissingAuthenticationTokenException",
        "OptInRequired",
    }
)
_STATES = {
    "DisabledException": "the key is disabled. Enable it",
    "KMSInvalidStateException": "the key waits for its deletion, or is not ready. Cancel the deletion",
}
_SETTINGS = {
    "NotFoundException": "there is no such key in that region and account",
    "InvalidArnException": "there is no such key in that region and account",
    "InvalidKeyUsageException": "the key is of another kind than is needed here",
    "UnsupportedOperationException": "the key is of another kind than is needed here",
    "ValidationException": "KMS takes no such call for this key, which may be of another kind",
    "NoCredentialsError": "there are no AWS credentials for this process",
    "PartialCredentialsError": "the AWS credentials of this process are not complete",
    "ProfileNotFound": "AWS_PROFILE names a profile that is not there",
    "ValueError": "the AWS configuration names an endpoint that is no URL",
    "InvalidRegionError": "its region is none",
    "SSLError": "its endpoint shows a certificate that is not trusted",
}
_BUSY = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "LimitExceededException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
    }
)
_SILENT = frozenset(
    {
        "KMSInternalException",
        "InternalFailure",
        "InternalError",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "DependencyTimeoutException",
        "KeyUnavailableException",
        "RequestTimeout",
        "RequestTimeoutException",
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ReadTimeoutError",
        "ConnectionClosedError",
        "ProxyConnectionError",
        "HTTPClientError",
        "ConnectionError",
        "ResponseStreamingError",
        "IncompleteReadError",
        "CredentialRetrievalError",
        "MetadataRetrievalError",
    }
)


def refusal(asked: Asked, doing: str, code: str) -> EsgError | None:
    """The error to raise, None where the key is fine and what it was given is not its own.

    Args:
        asked: which key.
        doing: what for, as in "to sign a publication".
        code: an error code of KMS, a bare HTTP status, or the name of a client's exception.
    """
    if code in _NOT_OURS:
        return None
    begin = f"Asking KMS {doing}, {asked}:"
    if code in _DENIED:
        return AccessDenied(
            f"{begin} access denied. Allow it on that key to the role that runs this, in the role's policy "
            "and in the key's, and see that its credentials have not run out."
        )
    if code in _STATES:
        return Refused(f"{begin} {_STATES[code]}; `esg-assets doctor` tells when it answers.")
    if code in _SETTINGS:
        return SettingsWrong(f"{begin} {_SETTINGS[code]}. Correct {asked.setting} or what it needs.")
    return _passing(asked, begin, code) or Refused(
        f"{begin} it was refused ({_shown(code)}). `esg-assets doctor` examines the keys."
    )


def _passing(asked: Asked, begin: str, code: str) -> KeysUnavailable | None:
    if code in _BUSY:
        return KeysUnavailable(f"{begin} too many calls at once, after several tries. Run it again later.")
    if code in _SILENT or (code.isdigit() and code.startswith("5")):
        return KeysUnavailable(
            f"{begin} no answer, after several tries. See that {asked.region}'s KMS (or AWS_ENDPOINT_URL_KMS)"
            " is reachable from here, then run it again."
        )
    return None


def _shown(code: str) -> str:
    """A code of unknown meaning, if it cannot be anything else."""
    return code if code.isidentifier() and len(code) < 60 else "an unknown error"  # noqa: PLR2004 - of any length
