"""ListLanguages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .kit import with_engine


class TestListLanguages:
    @with_engine
    def test_lists_what_the_engine_can_do(self, client: Callable[..., Any]) -> None:
        found = client("translate").list_languages()
        names = {one["LanguageCode"]: one["LanguageName"] for one in found["Languages"]}
        assert names["es"] == "Spanish" and names["auto"] == "Auto" and "ja" not in names
        assert found["DisplayLanguageCode"] == "en"

    @with_engine
    def test_comes_by_pages(self, client: Callable[..., Any]) -> None:
        whole = [one["LanguageCode"] for one in client("translate").list_languages()["Languages"]]
        got: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = client("translate").list_languages(MaxResults=2, **token)
            got += [one["LanguageCode"] for one in page["Languages"]]
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
        assert got == whole

    def test_names_are_in_english_only(self, client: Callable[..., Any]) -> None:
        with pytest.raises(ClientError) as refused:
            client("translate").list_languages(DisplayLanguageCode="de")
        assert refused.value.response["Error"]["Code"] == "UnsupportedDisplayLanguageCodeException"
        assert refused.value.response["DisplayLanguageCode"] == "de"
