"""Words for captions, which put numbers of a dataset into sentences."""

from collections.abc import Iterable

__all__ = ["several"]


def several(words: Iterable[str], none: str = "none") -> str:
    """Words as a sentence lists them.

    Args:
        words: any number.
        none: what is said if there are none.

    Example:
        >>> several(["a", "b", "c"]), several(["a"]), several([])
        ('a, b and c', 'a', 'none')
    """
    *most, last = list(words) or [none]
    return f"{', '.join(most)} and {last}" if most else last
