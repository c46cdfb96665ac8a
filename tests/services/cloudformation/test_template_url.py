"""Templates and code that lie in S3, as `aws cloudformation package` and SAM put them there."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

TEMPLATE = "Resources: {Group: {Type: 'AWS::Logs::LogGroup'}}"


class TestTemplateUrl:
    @pytest.fixture
    def bucket(self, client: Any, unique: Any) -> str:
        name = str(unique("templates"))
        client("s3").create_bucket(Bucket=name)
        client("s3").put_object(Bucket=name, Key="folder/t.yaml", Body=TEMPLATE.encode())
        return name

    @pytest.mark.node_only
    def test_every_form_of_the_address(self, node: Any, client: Any, unique: Any, bucket: str) -> None:
        for url in (
            f"https://{bucket}.s3.us-east-1.amazonaws.com/folder/t.yaml",
            f"https://s3.amazonaws.com/{bucket}/folder/t.yaml",
            f"{node.endpoint}/{bucket}/folder/t.yaml",
        ):
            found = client("cloudformation").get_template_summary(TemplateURL=url)
            assert found["ResourceTypes"] == ["AWS::Logs::LogGroup"]

    def test_what_is_not_there_is_said_in_s3s_words(self, client: Any, unique: Any, bucket: str) -> None:
        for where, said in (
            (f"{bucket}.s3.us-east-1.amazonaws.com/none.yaml", "S3 error: The specified key does not exist."),
            (
                f"{unique('none')}.s3.us-east-1.amazonaws.com/t",
                "S3 error: The specified bucket does not exist",
            ),
        ):
            with pytest.raises(ClientError) as refused:
                client("cloudformation").create_stack(StackName=unique("s"), TemplateURL=f"https://{where}")
            assert refused.value.response["Error"]["Message"].startswith(said)
