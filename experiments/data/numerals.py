"""What a field of a table is: a number in any of its spellings, or a gap."""

import re

OVERFLOW = 9.9e37
"""What source meters write where there is no reading, and beyond: missing."""
MISSING = {
    "", "nan", "na", "n/a", "null", "none", "-", "--", "?",
    "#n/a", "#nv", "#num!", "#div/0!", "#value!", "#wert!", "#valeur!",
}  # fmt: skip
"""What spreadsheets and people write for it, in small letters."""


POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?")
COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eEdD][+-]?\d+)?")
_GROUPED = re.compile(
    r"[+-]?\d{1,3}([.,' \u00a0\u202f])\d{3}(?:\1\d{3})*(?:(?!\1)[.,]\d+)?"
)
THOUSANDS = re.compile(r"[.' \u00a0\u202f]\d{3},")
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)


def like_number(field: str) -> bool:
    """Whether a field is a number in one of its spellings.

    Example:
        >>> [like_number(field) for field in ("1,5", "1.234,5", "-2e3", "two")]
        [True, True, True, False]
    """
    kinds = POINT, COMMA, _GROUPED, _INFINITE
    return any(kind.fullmatch(field) for kind in kinds)


def is_missing(field: str) -> bool:
    """Whether a field says that there is no value."""
    return field.lower() in MISSING


def number(field: str, comma: bool) -> float | None:
    """The number that a field is; None where it is none."""
    if grouped := _GROUPED.fullmatch(field):
        decimal = "," if comma else "."
        if grouped[1] != decimal:
            field = field.replace(grouped[1], "")
        elif field.count(decimal) > 1:
            return None
    if comma:
        field = field.replace(",", ".")
    if _INFINITE.fullmatch(field):
        return float(field)
    if not POINT.fullmatch(field):
        return None
    return float(field.lower().replace("d", "e"))
