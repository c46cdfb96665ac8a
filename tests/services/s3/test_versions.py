"""Versions of one key against a model of them: a list, the newest first, with at most one that is called null."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

STEP = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 9)),
    st.tuples(st.just("delete"), st.just(0)),
    st.tuples(st.just("remove"), st.integers(0, 5)),
    st.tuples(st.just("remove null"), st.just(0)),
    st.tuples(st.just("Enabled"), st.just(0)),
    st.tuples(st.just("Suspended"), st.just(0)),
)


class Model:
    def __init__(self) -> None:
        self.status = ""
        self.versions: list[tuple[str, bytes | None]] = []
        """Id and body; a delete marker has none."""

    def add(self, id: str, body: bytes | None) -> None:
        if self.status != "Enabled":
            self.versions = [one for one in self.versions if one[0] != "null"]
        self.versions.insert(0, (id, body))

    def remove(self, id: str) -> None:
        self.versions = [one for one in self.versions if one[0] != id]


def perform(s3: Any, bucket: str, model: Model, name: str, number: int) -> None:
    key = {"Bucket": bucket, "Key": "k"}
    if name == "put":
        body = str(number).encode()
        model.add(s3.put_object(**key, Body=body).get("VersionId", "null"), body)
    elif name == "delete":
        gone = s3.delete_object(**key)
        if model.status:
            model.add(gone["VersionId"], None)
        else:
            model.versions = []
    elif name == "remove" and model.versions:
        id = model.versions[number % len(model.versions)][0]
        s3.delete_object(**key, VersionId=id)
        model.remove(id)
    elif name == "remove null":
        s3.delete_object(**key, VersionId="null")
        model.remove("null")
    elif name in ("Enabled", "Suspended"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": name})
        model.status = name


def listed(s3: Any, bucket: str) -> tuple[list[str], list[str]]:
    """Ids, a page at a time, and which of them are the latest."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, PaginationConfig={"PageSize": 2})
    rows = [
        (one["VersionId"], one["IsLatest"])
        for page in pages
        for one in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
    ]
    return [id for id, _ in rows], [id for id, latest in rows if latest]


@pytest.mark.slow
@settings(max_examples=25)
@given(steps=st.lists(STEP, max_size=14))
def test_are_as_the_model_has_them(client: Callable[..., Any], steps: list[tuple[str, int]]) -> None:
    s3, bucket, model = client("s3"), f"versions-{uuid.uuid4()}", Model()
    s3.create_bucket(Bucket=bucket)
    for name, number in steps:
        perform(s3, bucket, model, name, number)
    ids, latest = listed(s3, bucket)
    assert sorted(ids) == sorted(id for id, _ in model.versions)
    assert latest == [id for id, _ in model.versions[:1]]
    for id, body in model.versions:
        if body is not None:
            assert s3.get_object(Bucket=bucket, Key="k", VersionId=id)["Body"].read() == body
    newest = model.versions[0][1] if model.versions else None
    try:
        found = s3.get_object(Bucket=bucket, Key="k")["Body"].read()
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchKey"
        found = None
    assert found == newest
