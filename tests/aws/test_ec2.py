"""The ec2 protocol, and a model that is too large to be read whole."""

from __future__ import annotations

import pytest

from cloudlet.aws import ec2
from cloudlet.aws.model import Models, load
from cloudlet.aws.route import Declined, Match, Router, UnknownOperation
from cloudlet.errors import AwsError
from tests.aws.kit import request

MODELS = Models()
ROUTER = Router(["sts", "ec2"], MODELS)
FORM = "application/x-www-form-urlencoded"


def asked(body: bytes, signed_for: str = "ec2") -> Match:
    return ROUTER.find(request("POST", "/", body, host="localhost:1", content_type=FORM), signed_for)


def read(body: bytes) -> dict[str, object]:
    match = asked(body + b"&Version=2016-11-15")
    return ec2.reader(match.operation, None)(request(), match)


class TestRequests:
    def test_lists_are_numbered_without_a_word_between(self) -> None:
        assert read(b"Action=DescribeSubnets&Filter.1.Name=vpc-id&Filter.1.Value.2=b&Filter.1.Value.1=a") == {
            "Filters": [{"Name": "vpc-id", "Values": ["a", "b"]}]
        }
        assert read(b"Action=DescribeSubnets&SubnetId.1=subnet-1&DryRun=true") == {
            "SubnetIds": ["subnet-1"],
            "DryRun": True,
        }

    @pytest.mark.parametrize(
        ("body", "code", "text"),
        [
            (b"Action=DeleteVpc", "MissingParameter", "The request must contain the parameter vpcId"),
            (
                b"Action=CreateVpc&InstanceTenancy=x",
                "InvalidParameterValue",
                "Value (x) for parameter instanceTenancy",
            ),
            (b"Action=DescribeVpcs&MaxResults=x", "InvalidParameterValue", "x"),
            (b"Action=DescribeVpcs&Filter.1=x", "InvalidParameterValue", "Unexpected"),
        ],
    )
    def test_refusals(self, body: bytes, code: str, text: str) -> None:
        with pytest.raises(AwsError) as caught:
            read(body)
        assert (caught.value.code, text in caught.value.message) == (code, True)


class TestAnswers:
    def test_have_the_request_id_first_and_no_wrapper(self) -> None:
        write = ec2.writer(asked(b"Action=DescribeVpcs").operation)
        body = write({"Vpcs": [{"VpcId": "vpc-1", "IsDefault": False}]}, "id").body
        assert body == (
            b'<?xml version="1.0" encoding="UTF-8"?>\n<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/'
            b'2016-11-15/"><requestId>id</requestId><vpcSet><item><isDefault>false</isDefault><vpcId>vpc-1</vpcId>'
            b"</item></vpcSet></DescribeVpcsResponse>"
        )

    def test_that_say_nothing_say_true(self) -> None:
        body = ec2.writer(asked(b"Action=DeleteVpc").operation)(None, "id").body
        assert isinstance(body, bytes)
        assert body.endswith(b"<requestId>id</requestId><return>true</return></DeleteVpcResponse>")

    def test_errors(self) -> None:
        response = ec2.failure(MODELS["ec2"], AwsError("InvalidVpcID.NotFound", "no <vpc>"), "id")
        assert response.status == 400
        assert response.body == (
            b'<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code>'
            b"<Message>no &lt;vpc&gt;</Message></Error></Errors><RequestID>id</RequestID></Response>"
        )


class TestItsModel:
    def test_has_the_operations_that_the_patch_names_and_knows_of_the_others(self) -> None:
        model = MODELS["ec2"]
        assert len(model.operations) == len(model.patch["operations"])
        assert "RunInstances" in model.left_out
        assert len(model.shapes) < 500

    def test_is_read_only_when_it_is_meant(self) -> None:
        seen: list[str] = []

        def reading(name: str) -> object:
            seen.append(name)
            return load(name)

        router = Router(["sts", "ec2"], Models(reading))  # type: ignore[arg-type]
        body = b"Action=GetCallerIdentity&Version=2011-06-15"
        router.find(request("POST", "/", body, content_type=FORM), "")
        with pytest.raises(AwsError):
            router.find(request(x_amz_target="Unknown.Thing"), "")
        assert seen == ["sts"]
        router.find(request("POST", "/", b"Action=DescribeVpcs&Version=2016-11-15", content_type=FORM), "")
        assert seen == ["sts", "ec2"]

    def test_actions_that_aren_t_there(self) -> None:
        with pytest.raises(Declined, match="Cloudlet does not support RunInstances") as declined:
            asked(b"Action=RunInstances&Version=2016-11-15")
        assert (declined.value.code, declined.value.status) == ("UnsupportedOperation", 501)
        with pytest.raises(
            UnknownOperation, match=r"The action Fly is not valid for this web service\."
        ) as unknown:
            asked(b"Action=Fly&Version=2016-11-15")
        assert unknown.value.code == "InvalidAction"
