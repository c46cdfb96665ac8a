"""Invalidations: what of the cache is to be fetched anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.services.cloudfront.conftest import Cdn, Reply, Seen, Web, custom, keys, listed
from tests.services.cloudfront.test_distributions import refused

Deploy = Callable[..., Cdn]


def forget(cf: Any, cdn: Cdn, *paths: str, reference: str = "") -> dict[str, Any]:
    batch = {"Paths": listed(*paths), "CallerReference": reference or " ".join(paths)}
    made: dict[str, Any] = cf.create_invalidation(DistributionId=cdn.id, InvalidationBatch=batch)
    return made["Invalidation"]


class TestCreateInvalidation:
    @pytest.mark.parametrize(
        ("path", "gone"),
        [
            ("/a/one", {"/a/one"}),
            ("/a/*", {"/a/one", "/a/two"}),
            ("/a*", {"/a/one", "/a/two", "/abc"}),
            ("/*", {"/a/one", "/a/two", "/abc", "/index.html"}),
            ("/", {"/index.html"}),
            ("/a/", set()),
        ],
    )
    def test_forgets_what_the_path_names(
        self, path: str, gone: set[str], cf: Any, web: Web, deploy: Deploy
    ) -> None:
        cdn = deploy(custom(web.port), DefaultRootObject="index.html")
        paths = ("/a/one", "/a/two", "/abc", "/index.html")
        for each in paths:
            cdn.get(each)
        assert forget(cf, cdn, path)["Status"] == "InProgress"
        assert {each for each in paths if cdn.get(each).result == "Miss"} == gone

    def test_names_query_strings_that_are_in_the_key(
        self, cf: Any, web: Web, deploy: Deploy, policy: Callable[..., str]
    ) -> None:
        cdn = deploy(custom(web.port), behavior={"CachePolicyId": policy(given=keys(queries=("v",)))})
        for each in ("/page?v=1", "/page?v=2"):
            cdn.get(each)
        forget(cf, cdn, "/page")
        assert cdn.get("/page?v=1").result == "Hit"
        forget(cf, cdn, "/page?v=1")
        assert [cdn.get(each).result for each in ("/page?v=1", "/page?v=2")] == ["Miss", "Hit"]

    def test_leaves_other_distributions(self, cf: Any, web: Web, deploy: Deploy) -> None:
        one, two = deploy(custom(web.port)), deploy(custom(web.port))
        one.get()
        two.get()
        forget(cf, one, "/*")
        assert (one.get().result, two.get().result) == ("Miss", "Hit")

    def test_also_counts_for_what_is_on_its_way(self, cf: Any, web: Web, deploy: Deploy) -> None:
        arrived, go = threading.Event(), threading.Event()

        def reply(seen: Seen) -> Reply:
            arrived.set()
            assert go.wait(20)
            return Reply(b"old")

        web.replies["/page"] = reply
        cdn = deploy(custom(web.port))
        with ThreadPoolExecutor(1) as viewer:
            coming = viewer.submit(cdn.get)
            assert arrived.wait(20)
            forget(cf, cdn, "/page")
            web.replies["/page"] = Reply(b"new")
            go.set()
            assert coming.result().body == b"old"
        assert cdn.get().body == b"new"

    def test_is_kept_and_listed(self, cf: Any, deploy: Deploy) -> None:
        cdn = deploy(custom(80))
        made = forget(cf, cdn, "/one", "/two*", reference="r1")
        assert forget(cf, cdn, "/one", "/two*", reference="r1")["Id"] == made["Id"]
        found = cf.get_invalidation(DistributionId=cdn.id, Id=made["Id"])["Invalidation"]
        assert (found["Status"], found["InvalidationBatch"]["Paths"]["Items"]) == (
            "Completed",
            ["/one", "/two*"],
        )
        cf.get_waiter("invalidation_completed").wait(DistributionId=cdn.id, Id=made["Id"])
        forget(cf, cdn, "/three", reference="r2")
        pages = cf.get_paginator("list_invalidations").paginate(
            DistributionId=cdn.id, PaginationConfig={"PageSize": 1}
        )
        assert len([one for page in pages for one in page["InvalidationList"]["Items"]]) == 2

    def test_refuses(self, cf: Any, deploy: Deploy) -> None:
        cdn = deploy(custom(80))
        forget(cf, cdn, "/one", reference="r")
        refused("InvalidArgument", lambda: forget(cf, cdn, "/two", reference="r"))
        refused("InvalidArgument", lambda: forget(cf, cdn, "no-slash"))
        refused("InvalidArgument", lambda: forget(cf, cdn, "/a*b"))
        refused("BatchTooLarge", lambda: forget(cf, cdn, *(f"/{n}" for n in range(3001)), reference="many"))
        refused("NoSuchInvalidation", lambda: cf.get_invalidation(DistributionId=cdn.id, Id="I0"))
        cdn.id = "E0000000000000"
        refused("NoSuchDistribution", lambda: forget(cf, cdn, "/one"))
