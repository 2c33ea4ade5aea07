"""Claims on a terminal: one line each, the verdict first."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from experiments.claims import VERDICTS, Claim

__all__ = ["show"]

_COLOURS: dict[str, str] = dict(
    zip(VERDICTS, ("green", "cyan", "red", "dim"), strict=True)
)
_WIDTH = max(map(len, VERDICTS))


def show(claims: Mapping[str, Sequence[Claim]], console: Console) -> None:
    """Print verdict, experiment, our number and the claim, cut to the terminal.

    Nothing is cut where the output is no terminal. The source, the published
    value and the band stand in the file of the claims and in the report.
    """
    for name, rows in claims.items():
        for claim in rows:
            console.print(
                _line(name, claim),
                no_wrap=True,
                overflow="ellipsis" if console.is_terminal else "ignore",
                crop=console.is_terminal,
            )


def _line(name: str, claim: Claim) -> Text:
    ours = "" if claim.ours is None else f" {claim.ours:.4g} {claim.unit}".rstrip()
    words = " ".join(f"{name}{ours}: {claim.claim}".split())
    verdict = f"{claim.verdict:{_WIDTH}}"
    return Text.assemble((verdict, _COLOURS[claim.verdict]), "  ", words)
