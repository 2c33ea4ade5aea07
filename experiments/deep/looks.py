"""How figures of deep networks draw the update rules: never by colour alone."""

from typing import Any

from experiments.figures import style

__all__ = ["NAMES", "look"]

NAMES = {
    "ideal": "ideal",
    "noisy": "noisy backpropagation",
    "eapu": "EaPU",
    "mixed_precision": "mixed precision",
}
_LOOKS = {
    "ideal": ("black", "--", "s"),
    "noisy": (style.COLOURS[1], ":", "^"),
    "eapu": (style.COLOURS[0], "-", "o"),
    "mixed_precision": (style.COLOURS[2], "-.", "D"),
}


def look(rule: str, **other) -> dict[str, Any]:
    """Name, colour, line and marker of a rule; what is given takes their place."""
    colour, line, marker = _LOOKS[rule]
    kept = {"label": NAMES[rule], "color": colour, "linestyle": line, "marker": marker}
    return kept | other
