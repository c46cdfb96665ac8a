"""Websites: what PutBucketWebsite takes, documents, errors, redirects, hosts, stacks."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudlet.cli.stacks import local_url
from tests.harness import eventually

from .conftest import OPEN, ask, readable

INDEX = {"IndexDocument": {"Suffix": "index.html"}}
ERROR = {"ErrorDocument": {"Key": "error.html"}}
PAGES = {
    "index.html": "<h1>Home</h1>",
    "docs/index.html": "<h1>Docs</h1>",
    "error.html": "<h1>Oh</h1>",
    "a b/ü.txt": "umlaut",
}


@pytest.fixture
def site(s3: Any, bucket: str) -> str:
    """A bucket that everybody may read, with some pages."""
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=OPEN)
    s3.put_bucket_policy(Bucket=bucket, Policy=readable(bucket))
    for key, text in PAGES.items():
        kind = "text/html" if key.endswith("html") else "text/plain"
        s3.put_object(Bucket=bucket, Key=key, Body=text.encode(), ContentType=kind)
    return bucket


@pytest.fixture
def visit(node: Any, s3: Any, site: str) -> Callable[..., tuple[int, str, dict[str, str]]]:
    """`visit("/path")`: status, text and headers, of a website with an index and an error document."""
    s3.put_bucket_website(Bucket=site, WebsiteConfiguration=INDEX | ERROR)

    def go(path: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
        host = f"{site}.s3-website-us-east-1.amazonaws.com"
        status, body, answered = ask(node, method, path, **{"Host": host, **headers})
        return status, body.decode(), answered

    return go


class TestPutBucketWebsite:
    def test_comes_back_and_goes(self, s3: Any, bucket: str) -> None:
        with pytest.raises(ClientError, match="NoSuchWebsiteConfiguration"):
            s3.get_bucket_website(Bucket=bucket)
        rules = [
            {"Condition": {"KeyPrefixEquals": "a"}, "Redirect": {"ReplaceKeyPrefixWith": "b"}},
            {"Redirect": {"HostName": "x.org", "Protocol": "https", "HttpRedirectCode": "307"}},
        ]
        given = INDEX | ERROR | {"RoutingRules": rules}
        s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=given)
        told = s3.get_bucket_website(Bucket=bucket)
        assert {name: told[name] for name in given} == given
        s3.delete_bucket_website(Bucket=bucket)
        with pytest.raises(ClientError, match="NoSuchWebsiteConfiguration"):
            s3.get_bucket_website(Bucket=bucket)

    @pytest.mark.parametrize(
        ("given", "wrong"),
        [
            ({}, "IndexDocument Suffix must be provided"),
            ({"IndexDocument": {"Suffix": "a/b"}}, "not well formed"),
            (INDEX | {"RedirectAllRequestsTo": {"HostName": "x"}}, "in conjunction with other Routing Rules"),
            ({"RedirectAllRequestsTo": {"HostName": "x\ny"}}, "host name is not valid"),
            ({"RedirectAllRequestsTo": {"HostName": "x", "Protocol": "ftp"}}, "Invalid protocol"),
            (
                INDEX
                | {"RoutingRules": [{"Redirect": {"ReplaceKeyWith": "a", "ReplaceKeyPrefixWith": "b"}}]},
                "not both",
            ),
            (
                INDEX | {"RoutingRules": [{"Redirect": {"HttpRedirectCode": "200"}}]},
                "redirect code .200. is not valid",
            ),
            (
                INDEX
                | {
                    "RoutingRules": [
                        {"Condition": {"HttpErrorCodeReturnedEquals": "302"}, "Redirect": {"HostName": "x"}}
                    ]
                },
                "error code .302. is not valid",
            ),
            (INDEX | {"RoutingRules": [{"Redirect": {"HostName": "x"}}] * 51}, "limited to 50"),
        ],
    )
    def test_what_is_wrong(self, s3: Any, bucket: str, given: dict[str, Any], wrong: str) -> None:
        with pytest.raises(ClientError, match=wrong):
            s3.put_bucket_website(Bucket=bucket, WebsiteConfiguration=given)


class TestDocuments:
    def test_an_index_in_every_folder(self, visit: Any) -> None:
        assert visit("/")[:2] == (200, "<h1>Home</h1>")
        assert visit("/docs/")[:2] == (200, "<h1>Docs</h1>")
        status, text, headers = visit("/docs")
        assert (status, text, headers["location"]) == (302, "", "/docs/")

    def test_an_object(self, visit: Any) -> None:
        status, text, headers = visit("/a%20b/%C3%BC.txt")
        assert (status, text, headers["content-type"]) == (200, "umlaut", "text/plain")
        assert visit("/a%20b/%C3%BC.txt", Range="bytes=0-1")[:2] == (206, "um")
        assert visit("/a%20b/%C3%BC.txt", If_None_Match=headers["etag"])[0] == 304
        assert visit("/a%20b/%C3%BC.txt", If_Modified_Since=headers["last-modified"])[0] == 304
        status, text, alone = visit("/a%20b/%C3%BC.txt", "HEAD")
        assert (status, text, alone["content-length"]) == (200, "", "6")

    def test_a_large_one(self, s3: Any, site: str, visit: Any) -> None:
        s3.put_object(Bucket=site, Key="large.txt", Body=b"x" * 3_000_000)
        assert len(visit("/large.txt")[1]) == 3_000_000

    def test_nothing_but_reading(self, visit: Any) -> None:
        status, text, headers = visit("/index.html", "POST")
        assert status == 405
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert "<li>Code: MethodNotAllowed</li>" in text
        assert "<li>Method: POST</li>" in text

    def test_scripts_of_other_pages(self, s3: Any, site: str, visit: Any) -> None:
        rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
        s3.put_bucket_cors(Bucket=site, CORSConfiguration={"CORSRules": [rule]})
        assert visit("/", Origin="http://a")[2]["access-control-allow-origin"] == "*"


class TestErrors:
    def test_the_websites_own_page(self, visit: Any) -> None:
        status, text, headers = visit("/none.html")
        assert (status, text, headers["content-type"]) == (404, "<h1>Oh</h1>", "text/html")
        assert visit("/docs/none/")[0] == 404

    def test_the_plain_page(self, s3: Any, site: str, visit: Any) -> None:
        s3.delete_object(Bucket=site, Key="error.html")
        status, text, headers = visit("/<none>")
        assert (status, headers["x-amz-error-code"]) == (404, "NoSuchKey")
        assert "<h1>404 Not Found</h1>" in text
        assert "<li>Message: The specified key does not exist.</li>\n<li>Key: &lt;none&gt;</li>" in text
        assert "<h3>An Error Occurred While Attempting to Retrieve a Custom Error Document</h3>" in text
        assert "<li>Key: error.html</li>" in text
        assert visit("/none", "HEAD")[:2] == (404, "")

    def test_what_is_not_for_everybody(self, s3: Any, site: str, visit: Any) -> None:
        s3.put_bucket_policy(Bucket=site, Policy=readable(site, Resource=f"arn:aws:s3:::{site}/error.html"))
        assert visit("/index.html")[:2] == (403, "<h1>Oh</h1>")
        s3.delete_bucket_policy(Bucket=site)
        status, text, _ = visit("/index.html")
        assert status == 403
        assert (
            "<h1>403 Forbidden</h1>\n<ul>\n<li>Code: AccessDenied</li>\n<li>Message: Access Denied</li>"
            in text
        )
        assert visit("/none.html")[0] == 404

    def test_no_website(self, node: Any, s3: Any, site: str, unique: Callable[[str], str]) -> None:
        status, body, _ = ask(node, "GET", f"/_aws/s3-website/{site}/")
        assert status == 404
        assert b"<li>Code: NoSuchWebsiteConfiguration</li>" in body
        status, body, _ = ask(node, "GET", f"/_aws/s3-website/{unique('none')}/")
        assert status == 404
        assert b"<li>Code: NoSuchBucket</li>" in body


class TestRedirects:
    def test_everything(self, node: Any, s3: Any, site: str) -> None:
        to = {"HostName": "example.com", "Protocol": "https"}
        s3.put_bucket_website(Bucket=site, WebsiteConfiguration={"RedirectAllRequestsTo": to})
        status, _, headers = ask(node, "GET", f"/_aws/s3-website/{site}/a%20b?c=d")
        assert (status, headers["location"]) == (301, "https://example.com/a%20b?c=d")

    @pytest.mark.parametrize(
        ("path", "status", "location"),
        [
            ("/old/a/b", 301, "http://{host}/new/a/b"),
            ("/elsewhere", 302, "https://example.com/elsewhere"),
            ("/gone/x", 301, "http://{host}/why%20gone.html"),
            ("/none/x", 307, "http://{host}/report/none/x"),
            ("/none", 404, None),
            ("/index.html", 200, None),
        ],
    )
    def test_rules(
        self, s3: Any, site: str, visit: Any, path: str, status: int, location: str | None
    ) -> None:
        def rule(condition: dict[str, str], **redirect: str) -> dict[str, Any]:
            return {"Condition": condition, "Redirect": redirect}

        rules = [
            rule({"KeyPrefixEquals": "old/"}, ReplaceKeyPrefixWith="new/"),
            rule({"KeyPrefixEquals": "elsewhere"}, HostName="example.com", Protocol="https", HttpRedirectCode="302"),
            rule({"KeyPrefixEquals": "gone/"}, ReplaceKeyWith="why gone.html"),
            rule(
                {"HttpErrorCodeReturnedEquals": "404", "KeyPrefixEquals": "none/"},
                ReplaceKeyPrefixWith="report/none/", HttpRedirectCode="307",
            ),
        ]  # fmt: skip
        s3.put_bucket_website(Bucket=site, WebsiteConfiguration=INDEX | {"RoutingRules": rules})
        answered, _, headers = visit(path)
        host = f"{site}.s3-website-us-east-1.amazonaws.com"
        assert answered == status
        assert headers.get("location") == (location and location.format(host=host))

    def test_objects_that_lead_elsewhere(self, s3: Any, site: str, visit: Any) -> None:
        for key, target in [("here", "/docs/"), ("there", "https://example.com/")]:
            s3.put_object(Bucket=site, Key=key, WebsiteRedirectLocation=target)
            status, text, headers = visit(f"/{key}")
            assert (status, text, headers["location"]) == (301, "", target)
            assert s3.head_object(Bucket=site, Key=key)["WebsiteRedirectLocation"] == target
        with pytest.raises(ClientError, match="InvalidRedirectLocation"):
            s3.put_object(Bucket=site, Key="x", WebsiteRedirectLocation="docs/")


class TestHosts:
    @pytest.mark.parametrize(
        "host",
        [
            "{}.s3-website.localhost:4566", "{}.s3-website-eu-west-1.amazonaws.com", "{}.S3-Website.localhost",
            "{}.s3-website.eu-central-1.amazonaws.com", "{}.s3-website.us-east-1.localhost.localstack.cloud:4566",
        ],
    )  # fmt: skip
    def test_every_form(self, node: Any, visit: Any, site: str, host: str) -> None:
        assert ask(node, "GET", "/", Host=host.format(site))[1] == b"<h1>Home</h1>"

    @pytest.mark.usefixtures("visit")
    def test_a_plain_path(self, node: Any, s3: Any, site: str) -> None:
        base = f"/_aws/s3-website/{site}"
        assert ask(node, "GET", f"{base}/")[:2] == (200, b"<h1>Home</h1>")
        status, _, headers = ask(node, "GET", base)
        assert (status, headers["location"]) == (302, f"{node.endpoint}{base}/")
        assert ask(node, "GET", f"{base}/docs")[2]["location"] == f"{base}/docs/"
        s3.put_object(Bucket=site, Key="here", WebsiteRedirectLocation="/docs/")
        assert ask(node, "GET", f"{base}/here")[2]["location"] == f"{base}/docs/"
        assert ask(node, "GET", f"{base}/none")[:2] == (404, b"<h1>Oh</h1>")


TEMPLATE = """
Resources:
  Site:
    Type: AWS::S3::Bucket
    Properties:
      AccessControl: PublicRead
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerPreferred}]}
      PublicAccessBlockConfiguration:
        {BlockPublicAcls: false, IgnorePublicAcls: false, BlockPublicPolicy: false, RestrictPublicBuckets: false}
      WebsiteConfiguration:
        IndexDocument: index.html
        ErrorDocument: error.html
        RoutingRules:
          - RoutingRuleCondition: {KeyPrefixEquals: old/, HttpErrorCodeReturnedEquals: "404"}
            RedirectRule: {ReplaceKeyPrefixWith: new/, HttpRedirectCode: "302"}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Site
      PolicyDocument:
        Statement: [{Effect: Allow, Principal: '*', Action: 's3:GetObject', Resource: !Sub '${Site.Arn}/*'}]
Outputs:
  Name: {Value: !Ref Site}
  Url: {Value: !GetAtt Site.WebsiteURL}
"""


class TestCloudFormation:
    def deploy(
        self, client: Callable[..., Any], stack: str, template: str, how: str = "create"
    ) -> dict[str, str]:
        cfn = client("cloudformation")
        getattr(cfn, f"{how}_stack")(StackName=stack, TemplateBody=template)
        waiter = cfn.get_waiter(f"stack_{how}_complete")
        waiter.config.delay = 0.1
        waiter.wait(StackName=stack)
        outputs = cfn.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
        return {one["OutputKey"]: one["OutputValue"] for one in outputs}

    def test_a_website(
        self, node: Any, client: Callable[..., Any], s3: Any, unique: Callable[[str], str]
    ) -> None:
        stack = unique("Website")
        out = self.deploy(client, stack, TEMPLATE)
        name = out["Name"]
        assert out["Url"] == f"http://{name}.s3-website-us-east-1.amazonaws.com"
        assert (
            local_url(out["Url"] + "/a", "http://127.0.0.1:4566")
            == f"http://{name}.s3-website.localhost:4566/a"
        )
        s3.put_object(Bucket=name, Key="index.html", Body=b"from a stack")
        assert ask(node, "GET", f"/_aws/s3-website/{name}/")[:2] == (200, b"from a stack")
        status, _, headers = ask(node, "GET", f"/_aws/s3-website/{name}/old/x")
        assert (status, headers["location"].endswith("/new/x")) == (302, True)
        without = re.sub(r"      WebsiteConfiguration:\n(        .*\n)+", "", TEMPLATE)
        self.deploy(client, stack, without, "update")
        with pytest.raises(ClientError, match="NoSuchWebsiteConfiguration"):
            s3.get_bucket_website(Bucket=name)

    def test_what_is_not_built_is_said(
        self, client: Callable[..., Any], unique: Callable[[str], str]
    ) -> None:
        cfn, stack = client("cloudformation"), unique("Notified")
        properties = (
            "NotificationConfiguration: {QueueConfigurations: [{Event: 's3:ObjectCreated:*', Queue: q}]}"
        )
        template = f"Resources: {{B: {{Type: 'AWS::S3::Bucket', Properties: {{{properties}}}}}}}"
        cfn.create_stack(StackName=stack, TemplateBody=template)
        eventually(
            lambda: cfn.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "ROLLBACK_COMPLETE"
        )
        reasons = [
            e.get("ResourceStatusReason", "")
            for e in cfn.describe_stack_events(StackName=stack)["StackEvents"]
        ]
        assert any("notifications are not built yet" in reason for reason in reasons)
