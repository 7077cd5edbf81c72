"""DVC's file system for Aliyun OSS, with the bucket that the environment names."""

from __future__ import annotations

import os

from dvc_oss import OSSFileSystem
from fsspec.utils import infer_storage_options

from cml.errors import UsageError


class BucketOSS(OSSFileSystem):  # type: ignore[misc]  # dvc-oss ships no types
    """Takes the bucket from OSS_BUCKET where the URL names none, as DVC did in 2020."""

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        options = infer_storage_options(path)
        bucket = options.get("host") or os.environ.get("OSS_BUCKET")
        if not bucket:
            raise UsageError(
                f"the DVC remote {path} names no bucket",
                hint="write it as oss://BUCKET/PATH, or set OSS_BUCKET",
            )
        return f"{bucket}{options['path']}"
