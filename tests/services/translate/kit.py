"""What the tests of Translate need of the machine: Apertium and several of its pairs."""

from __future__ import annotations

from typing import Any

import pytest

from cloudlet.services.translate.engine import modes

NEEDED = {("en", "es"), ("es", "en"), ("fr", "ca"), ("es", "ca"), ("ca", "it"), ("es", "fr"), ("es", "it")}
with_engine = pytest.mark.skipif(
    not modes().keys() >= NEEDED, reason="Apertium or one of its pairs is not installed: see .ci/run"
)


def translated(client: Any, text: str, source: str, target: str, **more: Any) -> str:
    answer = client.translate_text(Text=text, SourceLanguageCode=source, TargetLanguageCode=target, **more)
    assert answer["TargetLanguageCode"] == target
    return str(answer["TranslatedText"])
