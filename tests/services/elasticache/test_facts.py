"""Tags, engine versions, events."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.elasticache import kit

pytestmark = pytest.mark.node_only


@pytest.fixture
def caches(client: Any) -> Any:
    return client("elasticache")


class TestTags:
    def test_are_added_and_removed(self, caches: Any, unique: Any) -> None:
        tags = [{"Key": "team", "Value": "a"}]
        with kit.serverless(caches, unique("tagged"), Tags=tags) as cache:
            arn = cache["ARN"]
            caches.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": "stage", "Value": "dev"}])
            left = caches.remove_tags_from_resource(ResourceName=arn, TagKeys=["team"])["TagList"]
            assert left == [{"Key": "stage", "Value": "dev"}]
            assert caches.list_tags_for_resource(ResourceName=arn)["TagList"] == left
            with pytest.raises(ClientError) as failed:
                caches.remove_tags_from_resource(ResourceName=arn, TagKeys=["team"])
            assert failed.value.response["Error"]["Code"] == "TagNotFound"

    def test_what_is_no_arn_is_refused(self, caches: Any) -> None:
        with pytest.raises(ClientError) as failed:
            caches.list_tags_for_resource(ResourceName="arn:aws:s3:::bucket")
        assert failed.value.response["Error"]["Code"] == "InvalidARN"


class TestEngineVersions:
    def test_names_families(self, caches: Any) -> None:
        found = caches.describe_cache_engine_versions(Engine="valkey")["CacheEngineVersions"]
        assert ("8.1", "valkey8") in [(v["EngineVersion"], v["CacheParameterGroupFamily"]) for v in found]


class TestEvents:
    def test_tell_what_happened_to_a_cache(self, caches: Any, unique: Any) -> None:
        name = unique("eventful")
        with kit.serverless(caches, name):
            pass
        with pytest.raises(ClientError):
            kit.described(caches, name)
        found = caches.describe_events(SourceType="serverless-cache", SourceIdentifier=name)["Events"]
        assert [event["Message"] for event in found] == [
            "Serverless cache created",
            "Serverless cache deleted",
        ]
