"""Translate's facts: its languages, its quotas ("Guidelines and quotas" in its Developer Guide), its errors."""

from __future__ import annotations

from ...errors import AwsError

TEXT_MAX = 10_000
"""Bytes of one TranslateText."""
TERMINOLOGIES_MAX = 100
TERMS_USED = 256
"""Of a terminology's terms as many are told as applied, at most."""
TERMS_MAX = 10_000
PAGE = 500
AUTO = "auto"
CONFIDENT = 0.1
"""Below it a detected language is only a guess: DetectedLanguageLowConfidenceException."""

CHILDREN_MAX = 6
"""Pipelines of the engine that run at once, one per pair of languages; each takes 100 to 300 MB."""
CHILD_IDLE = 300.0
CHILD_PATIENCE = 20.0
"""Seconds for one request, the start of a pipeline included."""
CHILD_QUEUE = 256
"""Requests that may wait for one pipeline."""

LANGUAGES = {
    "af": "Afrikaans", "sq": "Albanian", "am": "Amharic", "ar": "Arabic", "hy": "Armenian", "auto": "Auto",
    "az": "Azerbaijani", "bn": "Bengali", "bs": "Bosnian", "bg": "Bulgarian", "ca": "Catalan",
    "zh": "Chinese (Simplified)", "zh-TW": "Chinese (Traditional)", "hr": "Croatian", "cs": "Czech", "da": "Danish",
    "fa-AF": "Dari", "nl": "Dutch", "en": "English", "et": "Estonian", "fa": "Farsi (Persian)",
    "tl": "Filipino, Tagalog", "fi": "Finnish", "fr": "French", "fr-CA": "French (Canada)", "ka": "Georgian",
    "de": "German", "el": "Greek", "gu": "Gujarati", "ht": "Haitian Creole", "ha": "Hausa", "he": "Hebrew",
    "hi": "Hindi", "hu": "Hungarian", "is": "Icelandic", "id": "Indonesian", "ga": "Irish", "it": "Italian",
    "ja": "Japanese", "kn": "Kannada", "kk": "Kazakh", "ko": "Korean", "lv": "Latvian", "lt": "Lithuanian",
    "mk": "Macedonian", "ms": "Malay", "ml": "Malayalam", "mt": "Maltese", "mr": "Marathi", "mn": "Mongolian",
    "no": "Norwegian (Bokmål)", "ps": "Pashto", "pl": "Polish", "pt": "Portuguese (Brazil)",
    "pt-PT": "Portuguese (Portugal)", "pa": "Punjabi", "ro": "Romanian", "ru": "Russian", "sr": "Serbian",
    "si": "Sinhala", "sk": "Slovak", "sl": "Slovenian", "so": "Somali", "es": "Spanish", "es-MX": "Spanish (Mexico)",
    "sw": "Swahili", "sv": "Swedish", "ta": "Tamil", "te": "Telugu", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese", "cy": "Welsh",
}  # fmt: skip
"""In the order in which ListLanguages gives them."""

SPOKEN_AS = {
    "bs": ("hbs_BS", "hbs"), "es-MX": ("es",), "fa-AF": ("fa",), "fr-CA": ("fr",), "hr": ("hbs_HR", "hbs"),
    "no": ("no", "nb"), "pt": ("pt_BR", "pt"), "pt-PT": ("pt",), "sr": ("hbs_SR", "hbs"),
}  # fmt: skip
"""What the engine may call a language, the best first, where that isn't AWS's code."""
SHORT = {
    "afr": "af", "ara": "ar", "bel": "be", "bre": "br", "bul": "bg", "cat": "ca", "ces": "cs", "cym": "cy", "dan": "da",
    "deu": "de", "eng": "en", "epo": "eo", "est": "et", "eus": "eu", "fin": "fi", "fra": "fr", "gle": "ga", "glg": "gl",
    "hin": "hi", "ind": "id", "isl": "is", "ita": "it", "kaz": "kk", "lav": "lv", "lit": "lt", "mkd": "mk", "mlt": "mt",
    "nld": "nl", "nob": "nb", "nor": "no", "oci": "oc", "pes": "fa", "pol": "pl", "por": "pt", "ron": "ro", "rus": "ru",
    "slk": "sk", "slv": "sl", "spa": "es", "swe": "sv", "tur": "tr", "ukr": "uk", "urd": "ur", "uzb": "uz", "zlm": "ms",
}  # fmt: skip
"""Apertium names languages by three letters; its older pairs by two, as AWS does."""
PIVOTS = ("en", "es", "ca")
"""Languages to go through, the most liked first, where no pair leads straight from one to the other."""

TEXTS = ("text/html", "text/plain")
FORMATS = {"CSV": ",", "TSV": "\t"}

_JOBS = "batch jobs are not built: texts are translated as they are asked for"
_PARALLEL = "the engine learns nothing from parallel data"
UNSUPPORTED: dict[str, str] = {
    **dict.fromkeys(
        ("DescribeTextTranslationJob", "ListTextTranslationJobs", "StartTextTranslationJob", "StopTextTranslationJob"),
        _JOBS,
    ),
    **dict.fromkeys(
        ("CreateParallelData", "DeleteParallelData", "GetParallelData", "ListParallelData", "UpdateParallelData"),
        _PARALLEL,
    ),
    **dict.fromkeys(("ListTagsForResource", "TagResource", "UntagResource"), "terminologies have no tags"),
}  # fmt: skip


def text_too_long(size: int) -> AwsError:
    return AwsError(
        "TextSizeLimitExceededException",
        f"Input text size exceeds limit. Max length of request text allowed is {TEXT_MAX} bytes "
        f"while in this request the text size is {size} bytes",
    )


def unsupported_pair(source: str, target: str) -> AwsError:
    return AwsError(
        "UnsupportedLanguagePairException",
        f"Unsupported language pair: {source} to {target}.",
        fields={"SourceLanguageCode": source, "TargetLanguageCode": target},
    )


def low_confidence(guess: str) -> AwsError:
    return AwsError(
        "DetectedLanguageLowConfidenceException",
        "The confidence that the source language was detected accurately is low",
        fields={"DetectedLanguageCode": guess},
    )


def unsupported_display(code: str) -> AwsError:
    return AwsError(
        "UnsupportedDisplayLanguageCodeException",
        f"Unsupported display language: {code}",
        fields={"DisplayLanguageCode": code},
    )


def invalid_request(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message)


def invalid_value(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


def no_terminology(name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"The terminology {name} could not be found")


def too_many_terminologies() -> AwsError:
    return AwsError("LimitExceededException", f"An account has {TERMINOLOGIES_MAX} terminologies at most")


def too_busy() -> AwsError:
    return AwsError("TooManyRequestsException", "Rate exceeded")


def unavailable() -> AwsError:
    return AwsError(
        "ServiceUnavailableException", "The translation engine failed; the node's log has more", status=503
    )
