"""Terminologies, and documents that use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .kit import with_engine

Clients = Callable[..., Any]
CSV = b"en,es,fr\nCloudlet,Nubecita,Nuagette\nThe house,El Palacio,\n"


@pytest.fixture
def terms(client: Clients, unique: Callable[[str], str]) -> Any:
    name = unique("terms")
    client("translate").import_terminology(
        Name=name, MergeStrategy="OVERWRITE", TerminologyData={"File": CSV, "Format": "CSV"}
    )
    yield name
    client("translate").delete_terminology(Name=name)


class TestTerminology:
    def test_is_described(self, client: Clients, terms: str) -> None:
        found = client("translate").get_terminology(Name=terms)["TerminologyProperties"]
        assert found["SourceLanguageCode"] == "en" and found["TargetLanguageCodes"] == ["es", "fr"]
        assert found["TermCount"] == 3 and found["SizeBytes"] == len(CSV)
        listed = client("translate").list_terminologies()["TerminologyPropertiesList"]
        assert terms in [one["Name"] for one in listed]

    def test_a_deleted_one_is_gone(self, client: Clients, unique: Callable[[str], str]) -> None:
        for call in (client("translate").get_terminology, client("translate").delete_terminology):
            with pytest.raises(ClientError) as refused:
                call(Name=unique("none"))
            assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"

    @pytest.mark.parametrize("file", [b"en\nx\n", b"en,xx\na,b\n", b"", b"\xff\xfe"])
    def test_a_file_that_is_none_is_refused(self, client: Clients, file: bytes) -> None:
        with pytest.raises(ClientError) as refused:
            client("translate").import_terminology(
                Name="bad", MergeStrategy="OVERWRITE", TerminologyData={"File": file, "Format": "CSV"}
            )
        assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"

    @with_engine
    def test_its_terms_are_used(self, client: Clients, terms: str) -> None:
        answer = client("translate").translate_text(
            Text="Cloudlet is big, Cloudlets aren't",
            SourceLanguageCode="en",
            TargetLanguageCode="es",
            TerminologyNames=[terms],
        )
        assert "Nubecita" in answer["TranslatedText"] and "Cloudlets" in answer["TranslatedText"]
        assert answer["AppliedTerminologies"] == [
            {"Name": terms, "Terms": [{"SourceText": "Cloudlet", "TargetText": "Nubecita"}]}
        ]


@with_engine
class TestTranslateDocument:
    def test_text(self, client: Clients) -> None:
        answer = client("translate").translate_document(
            Document={"Content": b"The house.\nThe dog.\n", "ContentType": "text/plain"},
            SourceLanguageCode="en",
            TargetLanguageCode="es",
        )
        assert answer["TranslatedDocument"]["Content"] == b"La casa.\nEl perro.\n"

    def test_html_keeps_its_elements_and_scripts(self, client: Clients) -> None:
        page = (
            "<!doctype html><html><head><title>The house</title><script>let house = 1;</script></head>"
            "<body><p class='house'>The dog &amp; the house</p><pre>The cat</pre></body></html>"
        )
        answer = client("translate").translate_document(
            Document={"Content": page.encode(), "ContentType": "text/html"},
            SourceLanguageCode="en",
            TargetLanguageCode="es",
        )
        assert answer["TranslatedDocument"]["Content"].decode() == (
            "<!doctype html><html><head><title>La casa</title><script>let house = 1;</script></head>"
            "<body><p class='house'>El perro &amp; la casa</p><pre>The cat</pre></body></html>"
        )

    def test_word_is_not_here(self, client: Clients) -> None:
        with pytest.raises(ClientError) as refused:
            client("translate").translate_document(
                Document={"Content": b"PK", "ContentType": "application/msword"},
                SourceLanguageCode="en",
                TargetLanguageCode="es",
            )
        assert refused.value.response["Error"]["Code"] == "InvalidRequestException"
