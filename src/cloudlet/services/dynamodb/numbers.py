"""DynamoDB's numbers: up to 38 significant digits between 1E-130 and 9.99…E+125, exact, kept as text.

`normalise` gives the one text that the service stores and returns for a number (plain decimal, no exponent, no needless
zeros), so that equal numbers are equal texts. `encode` gives bytes in the numbers' order, two digits to a byte:

    positive   0xC1 + exponent, then each pair of digits + 1
    zero       0x80
    negative   0x3E - exponent, then 101 - each pair, then 0x66 unless there are 20 pairs

The exponent counts in powers of 100. It is the form that the service hashes partition keys in, too.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal
from functools import lru_cache

from ...errors import AwsError
from .model import ValueRefused, validation_error

MAX_DIGITS = 38
MAX_EXPONENT = 125
MIN_EXPONENT = -130
MAX_WRITTEN_EXPONENT = 2**63 - 1
NO_NUMBER = "The parameter cannot be converted to a numeric value"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"

_canonical = re.compile(r"0|-?[1-9][0-9]{0,37}").fullmatch
_grammar = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?)([0-9]+))?").fullmatch
_small = re.compile(r"-?[0-9]{1,18}").fullmatch
_EXACT = Context(prec=300, Emax=99999, Emin=-99999)


def normalise(text: str) -> str:
    if text.isdecimal() and text.isascii() and len(text) <= MAX_DIGITS and (text[0] != "0" or text == "0"):
        return text
    if _canonical(text):
        return text
    match = _grammar(text)
    if match is None or not (match[2] or match[3]):
        raise ValueRefused(f"{NO_NUMBER}: {text}", f"{NO_NUMBER}: {text}" if text else NO_NUMBER)
    sign, whole, fraction, exponent_sign, exponent_digits = match.groups("")
    digits = (whole + fraction).lstrip("0")
    exponent_digits = exponent_digits.lstrip("0")
    shift = int(exponent_digits or "0") if len(exponent_digits) < 20 else MAX_WRITTEN_EXPONENT + 1
    if exponent_sign == "-":
        shift = -shift
    exponent = max(len(digits), 1) - len(fraction) - 1 + shift
    try:
        number = _plain(sign == "-", digits.rstrip("0") or "0", exponent)
    except AwsError as error:
        newer = error.message if abs(shift) <= MAX_WRITTEN_EXPONENT else f"{NO_NUMBER}: {text}"
        raise ValueRefused(
            newer, _as_java_reads(text, error.message, shift, len(fraction), exponent)
        ) from error
    return number if digits else "0"


def _as_java_reads(text: str, told: str, shift: int, fraction: int, exponent: int) -> str:
    """What older operations say: a BigDecimal's exponent and scale have 32 bits, and so has what is made of them."""
    if not all(-(2**31) <= number < 2**31 for number in (shift, fraction - shift)):
        return f"{NO_NUMBER}: {text}"
    return UNDERFLOW if exponent + 1 >= 2**31 else told


def _plain(negative: bool, digits: str, exponent: int) -> str:
    """Check and write the number `d.igits` times ten to the power of `exponent`."""
    if exponent > MAX_EXPONENT:
        raise _overflow()
    if exponent < MIN_EXPONENT:
        raise validation_error(UNDERFLOW)
    if len(digits) > MAX_DIGITS:
        raise validation_error("Attempting to store more than 38 significant digits in a Number")
    if exponent < 0:
        text = "0." + "0" * (-exponent - 1) + digits
    elif exponent >= len(digits) - 1:
        text = digits + "0" * (exponent - len(digits) + 1)
    else:
        text = digits[: exponent + 1] + "." + digits[exponent + 1 :]
    return "-" + text if negative else text


def _overflow() -> AwsError:
    return validation_error(OVERFLOW)


def _parts(text: str) -> tuple[bool, str, int]:
    """Sign, significant digits and exponent of a normalised number that isn't 0."""
    negative = text[0] == "-"
    whole, _, fraction = text[negative:].partition(".")
    if whole != "0":
        return negative, (whole + fraction).rstrip("0"), len(whole) - 1
    digits = fraction.lstrip("0")
    return negative, digits, len(digits) - len(fraction) - 1


@lru_cache(maxsize=4096)
def encode(text: str) -> bytes:
    """Bytes of a normalised number, in the numbers' order."""
    if text == "0":
        return b"\x80"
    negative, digits, exponent = _parts(text)
    if exponent % 2 == 0:
        digits = "0" + digits
    if len(digits) % 2:
        digits += "0"
    power = exponent // 2
    pairs = [int(digits[i : i + 2]) for i in range(0, len(digits), 2)]
    if negative:
        end = (0x66,) if len(pairs) < 20 else ()
        return bytes((0x3E - power, *(101 - pair for pair in pairs), *end))
    return bytes((0xC1 + power, *(pair + 1 for pair in pairs)))


def size(text: str) -> int:
    """How many bytes the service counts for a normalised number."""
    if text.isdigit():
        negative, count, exponent = False, len(text.rstrip("0")), len(text) - 1
        if not count:
            return 1
    else:
        negative, digits, exponent = _parts(text)
        count = len(digits)
    return 1 + (count + 1) // 2 + (0 if count % 2 or exponent % 2 else 1) + negative


def add(left: str, right: str) -> str:
    if _small(left) and _small(right):
        return str(int(left) + int(right))
    return _text(_EXACT.add(Decimal(left), Decimal(right)))


def subtract(left: str, right: str) -> str:
    if _small(left) and _small(right):
        return str(int(left) - int(right))
    return _text(_EXACT.subtract(Decimal(left), Decimal(right)))


def _text(value: Decimal) -> str:
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return "0"
    rounded = text.rstrip("0")
    if len(rounded) > MAX_DIGITS:  # the service says so of sums that 38 digits can't hold, too
        raise _overflow()
    return _plain(bool(sign), rounded, len(text) - 1 + exponent)
