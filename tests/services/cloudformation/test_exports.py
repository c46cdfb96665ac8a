"""Values that stacks share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from .conftest import Stacks


def producer(export: str) -> str:
    return f"""
Resources: {{Group: {{Type: AWS::Logs::LogGroup}}}}
Outputs: {{Name: {{Value: !Ref Group, Export: {{Name: {export}}}}}}}
"""


def consumer(export: str) -> str:
    return f"""
Resources: {{Meta: {{Type: AWS::CDK::Metadata, Properties: {{A: !ImportValue {export}}}}}}}
Outputs: {{Got: {{Value: !ImportValue {export}}}}}
"""


def test_exports_are_imported_and_held(stacks: Stacks, unique: Callable[[str], str]) -> None:
    maker, user, export = unique("maker"), unique("user"), unique("export")
    stacks.create(maker, producer(export))
    listed = {each["Name"]: each for each in stacks.client.list_exports()["Exports"]}
    assert listed[export]["Value"] == stacks.outputs(maker)["Name"]
    assert stacks.create(user, consumer(export))["StackStatus"] == "CREATE_COMPLETE"
    assert stacks.outputs(user)["Got"] == listed[export]["Value"]
    assert stacks.client.list_imports(ExportName=export)["Imports"] == [user]

    in_use = f"Export {export} cannot be deleted as it is in use by {user}"
    stacks.client.delete_stack(StackName=maker)
    assert stacks.describe(maker)["StackStatus"] == "CREATE_COMPLETE"
    assert (maker, "CREATE_COMPLETE", in_use) in stacks.events(maker)
    stack = stacks.update(maker, producer(unique("other")))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert (maker, "UPDATE_ROLLBACK_IN_PROGRESS", in_use) in stacks.events(maker)

    stacks.delete(user)
    assert stacks.delete(maker)["StackStatus"] == "DELETE_COMPLETE"
    assert export not in [each["Name"] for each in stacks.client.list_exports()["Exports"]]


def test_an_export_has_one_owner(stacks: Stacks, unique: Callable[[str], str]) -> None:
    first, second, export = unique("first"), unique("second"), unique("export")
    stacks.create(first, producer(export))
    stack = stacks.create(second, producer(export))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    reasons = [reason for _, status, reason in stacks.events(second) if status == "ROLLBACK_IN_PROGRESS"]
    assert reasons == [
        f"Export with name {export} is already exported by stack {first}. Rollback requested by user."
    ]


def test_what_nobody_exports(stacks: Stacks, unique: Callable[[str], str]) -> None:
    export = unique("nothing")
    with pytest.raises(ClientError, match=f"No export named {export} found"):
        stacks.client.create_stack(StackName=unique("user"), TemplateBody=consumer(export))
    with pytest.raises(ClientError, match=f"Export '{export}' is not imported by any stack"):
        stacks.client.list_imports(ExportName=export)
