"""TranslateText: several pairs, what is kept of a text, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .kit import translated, with_engine

Clients = Callable[..., Any]


def code_of(call: Callable[..., Any], **params: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**params)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


@with_engine
class TestPairs:
    @pytest.mark.parametrize(
        ("source", "target", "text", "expected"),
        [
            ("en", "es", "The house is big.", "La casa es grande."),
            ("es", "en", "La casa es grande.", "The house is big."),
            ("es", "fr", "La casa es grande.", "La maison est grande."),
            ("es", "ca", "La casa es grande.", "La casa és gran."),
            ("es-MX", "ca", "La casa es grande", "La casa és gran"),
            ("fr", "ca", "La maison est grande.", "La casa és gran."),
            ("en", "fr", "The house is big.", "La maison est grande."),
            ("en", "it", "The house is big.", "La casa è grande."),
        ],
    )
    def test_gives_the_text_in_the_other_language(
        self, client: Clients, source: str, target: str, text: str, expected: str
    ) -> None:
        assert translated(client("translate"), text, source, target) == expected

    def test_the_same_language_is_the_same_text(self, client: Clients) -> None:
        assert translated(client("translate"), "The house", "en", "en") == "The house"

    def test_many_at_once_get_each_his_own(self, client: Clients) -> None:
        texts = [f"The house has {number} doors" for number in range(40)]
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda text: translated(client("translate"), text, "en", "es"), texts))
        assert made == [f"La casa tiene {number} puertas" for number in range(40)]


@with_engine
class TestWhatIsKept:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("  The house\n\nThe dog\r\n", "  La casa\n\nEl perro\r\n"),
            ("The house <b>xyzzy</b>", "La casa <b>xyzzy</b>"),
            ("The house 😀", "La casa 😀"),
            ("The house مرحبا", "La casa مرحبا"),
            (
                "The house: a@b.example https://example.com/a_b?c=[d]",
                "La casa: a@b.example https://example.com/a_b?c=[d]",
            ),
            ("😀 🎉 42", "😀 🎉 42"),
            ("The house [1] {2} ^3 $4 /5 \\6 @7 ~8 *9 #10", "La casa [1] {2} ^3 $4 /5 \\6 @7 ~8 *9 #10"),
            ('The house <span translate="no">The dog</span>', 'La casa <span translate="no">The dog</span>'),
        ],
    )
    def test_survives(self, client: Clients, text: str, expected: str) -> None:
        assert translated(client("translate"), text, "en", "es") == expected

    def test_a_script_stays_one(self, client: Clients) -> None:
        made = translated(client("translate"), "<script>alert('x')</script>", "en", "es")
        assert made.startswith("<script>") and made.endswith("</script>")

    @pytest.mark.parametrize(
        "text",
        [
            "a\x00b house",
            "^@$ house\\",
            "[[house]]",
            "<<<house",
            "x" * 9000,
            "~~^^\\",
            "e^",
            "^a<n>$",
            "[[/]]a",
            "[[t:b:x]]",
            "<STREAMCMD:FLUSH>",
        ],
    )
    def test_nothing_breaks_the_engine(self, client: Clients, text: str) -> None:
        translated(client("translate"), text, "en", "es")
        assert translated(client("translate"), "The house", "en", "es") == "La casa"


@with_engine
class TestAuto:
    @pytest.mark.parametrize(
        ("text", "language"),
        [
            ("¿Dónde está la biblioteca?", "es"),
            ("Where is the library?", "en"),
            ("C'est la vie, mon ami", "fr"),
        ],
    )
    def test_says_which_language_it_found(self, client: Clients, text: str, language: str) -> None:
        answer = client("translate").translate_text(
            Text=text, SourceLanguageCode="auto", TargetLanguageCode="ca"
        )
        assert answer["SourceLanguageCode"] == language

    def test_a_text_without_words_is_only_a_guess(self, client: Clients) -> None:
        with pytest.raises(ClientError) as refused:
            client("translate").translate_text(
                Text="😀 42", SourceLanguageCode="auto", TargetLanguageCode="es"
            )
        assert refused.value.response["Error"]["Code"] == "DetectedLanguageLowConfidenceException"
        assert refused.value.response["DetectedLanguageCode"] == "en"


class TestRefusals:
    def test_a_pair_that_is_not_there(self, client: Clients) -> None:
        with pytest.raises(ClientError) as refused:
            client("translate").translate_text(Text="Hello", SourceLanguageCode="en", TargetLanguageCode="xx")
        response = refused.value.response
        assert response["Error"]["Code"] == "UnsupportedLanguagePairException"
        assert response["Error"]["Message"] == "Unsupported language pair: en to xx."
        assert (response["SourceLanguageCode"], response["TargetLanguageCode"]) == ("en", "xx")

    def test_a_text_of_more_than_10000_bytes(self, client: Clients) -> None:
        code, message = code_of(
            client("translate").translate_text,
            Text="é" * 5001,
            SourceLanguageCode="fr",
            TargetLanguageCode="es",
        )
        assert code == "TextSizeLimitExceededException"
        assert message == (
            "Input text size exceeds limit. Max length of request text allowed is 10000 bytes "
            "while in this request the text size is 10002 bytes"
        )

    def test_an_empty_text(self, client: Clients) -> None:
        code, message = code_of(
            client("translate").translate_text, Text="", SourceLanguageCode="en", TargetLanguageCode="es"
        )
        assert code == "ValidationException"
        assert "Member must have length greater than or equal to 1" in message

    def test_a_setting_that_is_none(self, client: Clients) -> None:
        code, message = code_of(
            client("translate").translate_text,
            Text="Hello",
            SourceLanguageCode="en",
            TargetLanguageCode="es",
            Settings={"Formality": "RUDE"},
        )
        assert code == "ValidationException" and "settings.formality" in message

    @with_engine
    def test_settings_that_the_engine_lacks_are_ignored(self, client: Clients) -> None:
        answer = client("translate").translate_text(
            Text="The house",
            SourceLanguageCode="en",
            TargetLanguageCode="es",
            Settings={"Formality": "FORMAL", "Profanity": "MASK", "Brevity": "ON"},
        )
        assert answer["TranslatedText"] == "La casa" and answer["AppliedSettings"] == {}
