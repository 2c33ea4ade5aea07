"""The end of an error message: what was meant, and what there is."""

import difflib
from collections.abc import Iterable


def suggest(word: str, known: Iterable[str]) -> str:
    """What was meant, if a name is close, and all that there are.

    Example:
        >>> suggest("treshold", ["scheme", "threshold"])
        ': did you mean threshold? There are scheme, threshold'
    """
    known = [str(name) for name in known]
    close = difflib.get_close_matches(word, known, n=1)
    guess = f"did you mean {close[0]}? " if close else ""
    return f": {guess}There are {', '.join(known) or 'none yet'}"
