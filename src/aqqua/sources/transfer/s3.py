"""Objects of an S3 store: `s3://bucket/prefix`; not of Amazon: `?endpoint=https://…` or AWS_ENDPOINT_URL.

The login is found the way all S3 tools find it (environment, ~/.aws); without one the bucket is asked as a public one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aqqua.errors import MissingExtraError, RefusedError, RemoteError
from aqqua.sources.transfer.places import BLOCK_BYTES, Place, RemoteFile, Stream

__all__ = ["S3"]

_MD5 = re.compile(r"[0-9a-f]{32}")


class S3(Place):
    """All objects below a prefix, or one object."""

    def files(self) -> list[RemoteFile]:
        """All objects below the prefix."""
        with self._trouble():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            entries = [entry for page in pages for entry in page.get("Contents", ())]
        found = sorted(
            (self._file(entry) for entry in entries if self._is_below(entry["Key"])), key=lambda file: file.name
        )
        if not found:
            raise RemoteError("there is no object of this name", where=self.address, do="check bucket and prefix")
        return found

    @contextmanager
    def open(self, file: RemoteFile, start: int = 0, stamp: str | None = None) -> Iterator[Stream]:
        """Ask for the rest of an object, if its ETag is still the same."""
        key = file.address.removeprefix(f"s3://{self._bucket}/")
        with self._trouble():
            answer, begin = self._get(key, start if stamp else 0, stamp)
            body = answer["Body"]
            try:
                yield Stream(begin, begin + answer["ContentLength"], answer.get("ETag"), self._blocks(body))
            finally:
                body.close()

    def _get(self, key: str, start: int, stamp: str | None) -> tuple[dict[str, Any], int]:
        import botocore.exceptions

        if start:
            try:
                part = {"Range": f"bytes={start}-", "IfMatch": stamp}
                return self._client.get_object(Bucket=self._bucket, Key=key, **part), start
            except botocore.exceptions.ClientError as error:
                if _status(error) not in {412, 416}:
                    raise
        return self._client.get_object(Bucket=self._bucket, Key=key), 0

    def _blocks(self, body: Any) -> Iterator[bytes]:
        with self._trouble():
            yield from body.iter_chunks(BLOCK_BYTES)

    def _is_below(self, key: str) -> bool:
        """Whether a key is the object asked for, or below it as a folder (not only a name that begins alike)."""
        prefix = self._prefix
        return not key.endswith("/") and (not prefix or key == prefix or key.startswith(f"{prefix.rstrip('/')}/"))

    def _file(self, entry: dict[str, Any]) -> RemoteFile:
        key, etag = entry["Key"], entry["ETag"]
        folder = self._prefix.rstrip("/")
        name = key.rpartition("/")[2] if key == self._prefix else key[len(folder) :].lstrip("/")
        checksum = f"md5:{etag.strip(chr(34))}" if _MD5.fullmatch(etag.strip('"')) else None  # not of objects in pieces
        return RemoteFile(name, f"s3://{self._bucket}/{key}", entry["Size"], etag, checksum)

    @property
    def _bucket(self) -> str:
        return urlsplit(self.address).netloc

    @property
    def _prefix(self) -> str:
        return urlsplit(self.address).path.lstrip("/")

    @cached_property
    def _client(self) -> Any:
        try:
            import boto3
            import botocore
            from botocore.config import Config
        except ImportError as error:
            raise MissingExtraError("fetching from S3", "boto3", "s3") from error
        session = boto3.session.Session()
        asked = parse_qs(urlsplit(self.address).query).get("endpoint", [None])[0]
        options: dict[str, Any] = {
            "connect_timeout": 15,
            "read_timeout": self.timeout_s,
            "retries": {"max_attempts": 1},
        }
        login = {}
        if self.login:
            login = {"aws_access_key_id": self.login.user, "aws_secret_access_key": self.login.password}
        elif session.get_credentials() is None:
            options["signature_version"] = botocore.UNSIGNED
        return session.client(
            "s3",
            endpoint_url=asked or os.environ.get("AWS_ENDPOINT_URL"),
            region_name=session.region_name or "us-east-1",
            config=Config(**options),
            **login,
        )

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        import botocore.exceptions
        import urllib3.exceptions

        try:
            yield
        except botocore.exceptions.ClientError as error:
            raise self._error(_status(error), error) from error
        except (botocore.exceptions.BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
            if isinstance(error, RemoteError):
                raise
            do = "check the network and the address, then run it again; what came stays"
            raise RemoteError("the connection failed or broke off", where=self.address, do=do) from error

    def _error(self, status: int, error: Exception) -> RemoteError | RefusedError:
        if status in {401, 403}:
            do = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ask the owner for access"
            return RefusedError("the store refuses the bucket or object", where=self.address, do=do, status=status)
        if status == 404:
            return RemoteError(
                "there is no such bucket or object", where=self.address, do="check the address", status=404
            )
        return RemoteError(f"the store failed ({error})", where=self.address, do="try again later", status=status)


def _status(error: Any) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
