"""Translate's operations, by noun."""

from .languages import list_languages as list_languages
from .terminologies import delete_terminology as delete_terminology
from .terminologies import get_terminology as get_terminology
from .terminologies import import_terminology as import_terminology
from .terminologies import list_terminologies as list_terminologies
from .texts import translate_document as translate_document
from .texts import translate_text as translate_text
