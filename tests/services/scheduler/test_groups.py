"""Schedule groups and their tags."""

from __future__ import annotations

import pytest

from tests.harness import ACCOUNT, REGION, eventually

from .conftest import refused

FAR = "at(2038-01-01T00:00:00)"


@pytest.fixture
def group(client, unique):
    name = unique("group")
    tags = [{"Key": "team", "Value": "blue"}]
    client("scheduler").create_schedule_group(Name=name, Tags=tags, ClientToken="it")
    return name


def arn(name: str) -> str:
    return f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/{name}"


class TestScheduleGroup:
    def test_is_shown(self, client, group):
        shown = client("scheduler").get_schedule_group(Name=group)
        assert (shown["Arn"], shown["Name"], shown["State"]) == (arn(group), group, "ACTIVE")
        assert shown["CreationDate"] == shown["LastModificationDate"]

    def test_default_is_always_there(self, client):
        scheduler = client("scheduler")
        assert scheduler.get_schedule_group(Name="default")["Arn"] == arn("default")
        for change in (scheduler.create_schedule_group, scheduler.delete_schedule_group):
            with refused("ValidationException", "cannot be performed on schedule group default."):
                change(Name="default")

    def test_a_name_is_taken_once(self, client, group):
        with refused("ConflictException", f"Schedule group {group} already exists.", 409):
            client("scheduler").create_schedule_group(Name=group)
        client("scheduler").create_schedule_group(Name=group, ClientToken="it")

    def test_are_listed_by_pages(self, client, unique):
        scheduler, prefix = client("scheduler"), unique("listed")
        names = [f"{prefix}-{letter}" for letter in "abc"]
        for name in names:
            scheduler.create_schedule_group(Name=name)
        pages = scheduler.get_paginator("list_schedule_groups").paginate(
            NamePrefix=prefix, PaginationConfig={"PageSize": 2}
        )
        assert [[one["Name"] for one in page["ScheduleGroups"]] for page in pages] == [names[:2], names[2:]]

    def test_names_count_within_their_group(self, bench, group):
        bench.create(FAR, State="DISABLED")
        bench.create(FAR, GroupName=group)
        shown = bench.scheduler.get_schedule(Name=bench.name, GroupName=group)
        assert shown["Arn"].endswith(f":schedule/{group}/{bench.name}")
        assert shown["State"] == "ENABLED"

    def test_goes_with_its_schedules(self, bench, group):
        for number in range(300):
            bench.create(FAR, f"{bench.name}-{number}", GroupName=group)
        bench.scheduler.delete_schedule_group(Name=group)

        def gone() -> bool:
            names = [one["Name"] for one in bench.scheduler.list_schedule_groups()["ScheduleGroups"]]
            return group not in names

        eventually(gone)
        with refused("ResourceNotFoundException", f"Schedule group {group} does not exist.", 404):
            bench.scheduler.get_schedule(Name=f"{bench.name}-299", GroupName=group)
        assert bench.scheduler.list_schedules(NamePrefix=bench.name)["Schedules"] == []

    def test_of_what_is_not_there(self, client):
        scheduler = client("scheduler")
        for call in (scheduler.get_schedule_group, scheduler.delete_schedule_group):
            with refused("ResourceNotFoundException", "Schedule group nowhere does not exist.", 404):
                call(Name="nowhere")


class TestTags:
    def test_come_and_go(self, client, group):
        scheduler = client("scheduler")
        scheduler.tag_resource(ResourceArn=arn(group), Tags=[{"Key": "cost", "Value": "7"}])
        tags = scheduler.list_tags_for_resource(ResourceArn=arn(group))["Tags"]
        assert tags == [{"Key": "team", "Value": "blue"}, {"Key": "cost", "Value": "7"}]
        scheduler.untag_resource(ResourceArn=arn(group), TagKeys=["team"])
        assert scheduler.list_tags_for_resource(ResourceArn=arn(group))["Tags"] == tags[1:]

    def test_of_what_is_not_there(self, client):
        with refused("ResourceNotFoundException", status=404):
            client("scheduler").list_tags_for_resource(ResourceArn=arn("nowhere"))

    def test_fifty_at_most(self, client, group):
        tags = [{"Key": f"k{n}", "Value": ""} for n in range(50)]
        with refused("ServiceQuotaExceededException", status=402):
            client("scheduler").tag_resource(
                ResourceArn=arn(group), Tags=[{**tag, "Value": "v"} for tag in tags]
            )
