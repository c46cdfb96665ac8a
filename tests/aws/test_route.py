"""Which operation a request is for."""

from __future__ import annotations

import pytest

from cloudlet.aws.route import NoService, Router, UnknownOperation
from tests.aws.kit import MODELS, SERVICES, request

ROUTER = Router(SERVICES, MODELS)
FORM = "application/x-www-form-urlencoded; charset=utf-8"


class TestByTarget:
    def test_found(self) -> None:
        match = ROUTER.find(request(x_amz_target="DynamoDB_20120810.PutItem"), "")
        assert (match.model.name, match.operation.name) == ("dynamodb", "PutItem")

    def test_the_target_wins_over_the_scope(self) -> None:
        assert (
            ROUTER.find(request(x_amz_target="Logs_20140328.GetLogEvents"), "dynamodb").model.name == "logs"
        )

    def test_unknown_operation(self) -> None:
        with pytest.raises(UnknownOperation) as refused:
            ROUTER.find(request(x_amz_target="DynamoDB_20120810.Nope"), "")
        assert refused.value.code == "UnknownOperationException"

    def test_a_service_that_is_not_here(self) -> None:
        with pytest.raises(NoService, match="Cloudlet does not have the service 'sqs' yet"):
            ROUTER.find(request(x_amz_target="AmazonSQS.SendMessage"), "")


class TestByAction:
    def test_in_the_body(self) -> None:
        asked = request(body=b"Action=GetRole&Version=2010-05-08&RoleName=a", content_type=FORM)
        assert ROUTER.find(asked, "").operation.name == "GetRole"

    def test_in_the_query_string(self) -> None:
        asked = request("GET", query="Action=GetCallerIdentity&Version=2011-06-15")
        assert ROUTER.find(asked, "sts").operation.name == "GetCallerIdentity"

    def test_the_version_tells_unsigned_requests_apart(self) -> None:
        asked = request(body=b"Action=ListStacks&Version=2010-05-15", content_type=FORM)
        assert ROUTER.find(asked, "").model.name == "cloudformation"

    def test_wrong_version(self) -> None:
        asked = request(body=b"Action=GetRole&Version=1999-01-01", content_type=FORM)
        with pytest.raises(UnknownOperation, match="Could not find operation GetRole for version 1999-01-01"):
            ROUTER.find(asked, "iam")


class TestByPath:
    @pytest.mark.parametrize(
        ("method", "path", "query", "operation", "labels"),
        [
            ("POST", "/2015-03-31/functions", "", "CreateFunction", {}),
            ("POST", "/2015-03-31/functions/", "", "CreateFunction", {}),
            ("GET", "/2015-03-31/functions/a%3Ab", "", "GetFunction", {"FunctionName": "a:b"}),
            ("POST", "/2015-03-31/functions/f/invocations", "", "Invoke", {"FunctionName": "f"}),
            ("GET", "/2018-10-31/layers", "find=LayerVersion&Arn=x", "GetLayerVersionByArn", {}),
            ("GET", "/2018-10-31/layers", "MaxItems=3", "ListLayers", {}),
            ("GET", "/v2/apis/a/routes/r", "", "GetRoute", {"apiId": "a", "routeId": "r"}),
            ("GET", "/v2/tags/arn%3Aaws%3Aapigateway%3A%3A%3A%2Fapis%2Fa", "", "GetTags", None),
            ("POST", "/@connections/a%3D%3D", "", "PostToConnection", {"connectionId": "a=="}),
        ],
    )
    def test_templates(
        self, method: str, path: str, query: str, operation: str, labels: dict[str, str] | None
    ) -> None:
        match = ROUTER.find(request(method, path, query=query), "")
        assert match.operation.name == operation
        assert labels is None or match.labels == labels

    def test_an_arn_is_one_segment(self) -> None:
        match = ROUTER.find(
            request("GET", "/v2/tags/arn%3Aaws%3Aapigateway%3Aeu%3A%3A%2Fapis%2Fa"), "apigateway"
        )
        assert match.labels == {"resource-arn": "arn:aws:apigateway:eu::/apis/a"}

    def test_unknown_path(self) -> None:
        with pytest.raises(UnknownOperation) as refused:
            ROUTER.find(request("GET", "/2015-03-31/nothing"), "lambda")
        assert refused.value.status == 404

    def test_no_aws_request_at_all(self) -> None:
        with pytest.raises(NoService, match="names no AWS service"):
            ROUTER.find(request("GET", "/"), "")

    def test_a_scope_nobody_knows(self) -> None:
        with pytest.raises(NoService, match="does not have the service 'pizza'"):
            ROUTER.find(request("GET", "/"), "pizza")

    def test_an_absent_service_is_told_in_its_own_protocol(self) -> None:
        with pytest.raises(NoService) as refused:
            ROUTER.find(request("GET", "/bucket"), "s3")
        assert (refused.value.protocol, refused.value.status) == ("rest-xml", 501)


def test_the_signing_names_in_the_patches_are_the_models_own() -> None:
    for name in SERVICES:
        assert name in ROUTER._signed[MODELS[name].signing_name]
