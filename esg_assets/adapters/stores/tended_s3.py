"""A store in S3, with what looking after it needs (port TendedStore): open uploads, versions, locks."""

import datetime as dt
from collections.abc import Iterator
from functools import partial
from typing import Any

import obstore
from botocore.exceptions import BotoCoreError, ClientError

from esg_assets.adapters.stores.s3 import S3Objects, object_lock
from esg_assets.adapters.stores.s3_errors import code, translated
from esg_assets.core.object_keys import check_prefix, is_segment
from esg_assets.core.store_care import Leftover, Protection, StoredObject
from esg_assets.core.store_identity import KEY as STORE_ID

_KIND = "open upload"
_EVERYBODY = ("/global/AllUsers", "/global/AuthenticatedUsers")
_BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class TendedS3(S3Objects):
    """Objects in a bucket."""

    def listed(self, prefix: str) -> Iterator[StoredObject]:
        """Every object below `prefix`, ascending by key."""
        folder = check_prefix(prefix).removesuffix("/")
        with translated("Listing the store", prefix):
            batches = obstore.list(self._entry.reading, folder or None)
            found = [
                StoredObject(meta["path"], int(meta["size"]), meta["last_modified"])
                for batch in batches
                for meta in batch
                if all(map(is_segment, meta["path"].split("/")))
            ]
        yield from sorted(found, key=lambda each: each.key)

    def leftovers(self) -> list[Leftover]:
        """Uploads in parts that nobody finished; also those that somebody is at just now."""
        found = []
        with translated("Looking for open uploads in the store", ""):
            pages = self._entry.writing.get_paginator("list_multipart_uploads")
            for page in pages.paginate(Bucket=self._entry.bucket, Prefix=self._entry.full("")):
                for upload in page.get("Uploads", ()):
                    key = self._entry.own(upload["Key"])
                    if key is not None:  # not every server keeps to the prefix
                        began = upload.get("Initiated") or dt.datetime.now(dt.UTC)
                        found.append(Leftover(_KIND, key, began, str(upload["UploadId"])))
        return sorted(found, key=lambda each: each.name)

    def remove_leftover(self, leftover: Leftover) -> None:
        """Remove it; no error if it is gone."""
        if leftover.kind != _KIND:
            raise ValueError("no leftover of this store")
        with translated("Removing an open upload from the store", leftover.name):
            try:
                self._entry.writing.abort_multipart_upload(
                    Bucket=self._entry.bucket,
                    Key=self._entry.full(leftover.name),
                    UploadId=leftover.reference,
                )
            except ClientError as error:
                if code(error) not in {"NoSuchUpload", "404"}:
                    raise

    def protection(self) -> Protection:
        """What the bucket's configuration is now, and what it lets anybody do; at most seven calls."""
        versioning = self._told("get_bucket_versioning")
        rule = object_lock(self._entry)
        return Protection(
            bucket=True,
            public=self._public(),
            versioned=None if versioning is None else versioning.get("Status") == "Enabled",
            retention="" if rule is None else _in_words(rule),
        )

    def _public(self) -> bool | None:
        blocked = (self._told("get_public_access_block") or {}).get("PublicAccessBlockConfiguration", {})
        if all(blocked.get(name) for name in _BLOCKS):
            return False
        policy = (self._told("get_bucket_policy_status") or {}).get("PolicyStatus", {})
        if policy.get("IsPublic"):
            return True
        grants = (self._told("get_bucket_acl") or {}).get("Grants", ())
        if any(str(grant["Grantee"].get("URI", "")).endswith(_EVERYBODY) for grant in grants):
            return True
        return self._open_to_anybody()

    def _open_to_anybody(self) -> bool | None:
        """Tried without credentials, to list and to read; None if there was no answer."""
        bucket, anybody = self._entry.bucket, self._entry.anonymous
        for ask in (
            partial(anybody.list_objects_v2, Bucket=bucket, MaxKeys=1),
            partial(anybody.head_object, Bucket=bucket, Key=self._entry.full(STORE_ID)),
        ):
            try:
                ask()
            except ClientError:
                continue
            except BotoCoreError:
                return None
            return True
        return False

    def _told(self, question: str) -> dict[str, Any] | None:
        """The bucket's answer, None if it has none to give or these credentials may not ask."""
        with translated("Looking at the bucket's protection", ""):
            try:
                return dict(getattr(self._entry.writing, question)(Bucket=self._entry.bucket))
            except ClientError:
                return None


def _in_words(rule: dict[str, Any]) -> str:
    """The default retention of an object lock."""
    unit = "Years" if "Years" in rule else "Days"
    if unit not in rule:
        return "object lock on, no time by default"
    return f"object lock, {rule[unit]} {unit.lower()} by default ({str(rule.get('Mode', '')).lower()})"
