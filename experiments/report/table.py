"""The table of claims: published beside ours, a verdict in words."""

from collections import Counter
from collections.abc import Iterable
from html import escape

from experiments.claims import VERDICTS, Claim
from experiments.report.gather import Result

__all__ = ["judged", "table", "tally"]

_SIGNS: dict[str, str] = dict(zip(VERDICTS, "✓≈✗–", strict=True))
_HEAD = """<table>
<thead><tr><th scope="col">Claim</th><th scope="col" class="number">Published</th>
<th scope="col" class="number">Ours, band</th><th scope="col">Scale</th>
<th scope="col">Verdict</th></tr></thead>
<tbody>"""


def judged(results: Iterable[Result]) -> list[tuple[str, Claim]]:
    """Experiment and claim; what two results both leave untried comes once."""
    pairs = [(result.name, claim) for result in results for claim in result.claims]
    return list(dict.fromkeys(pairs))


def tally(claims: Iterable[tuple[str, Claim]]) -> str:
    """How many claims got which verdict, scale by scale, the reduced one first."""
    counts = Counter((claim.scale, claim.verdict) for _, claim in claims)
    scales = sorted({s for s, _ in counts}, key=lambda s: (not s, s != "reduced", s))
    return "\n".join(_line(scale, counts) for scale in scales)


def _line(scale: str, counts: Counter[tuple[str, str]]) -> str:
    head = f"Scale {escape(scale)}:" if scale else "Without a run:"
    seen = [(verdict, counts[scale, verdict]) for verdict in VERDICTS]
    items = (f"<li>{_verdict(verdict)}: {n}</li>" for verdict, n in seen if n)
    return f'<ul class="tally"><li>{head}</li>{"".join(items)}</ul>'


def table(claims: Iterable[tuple[str, Claim]]) -> str:
    """A table, which a narrow screen shows as cards."""
    rows = [_row(name, claim) for name, claim in claims]
    return "\n".join([_HEAD, *rows, "</tbody>", "</table>"])


def _row(name: str, claim: Claim) -> str:
    unit = f" {claim.unit}" if claim.unit else ""
    cells = (
        _cell("Published", _value(claim.published, unit), "number"),
        _cell("Ours, band", _ours(claim, unit), "number"),
        _cell("Scale", escape(claim.scale)),
        _cell("Verdict", _verdict(claim.verdict)),
    )
    return (
        f'<tr><td class="claim"><a href="#{escape(name)}">{escape(name)}</a>: '
        f'{escape(claim.claim)} <span class="source">{escape(claim.source)}</span></td>'
        f"{''.join(cells)}</tr>"
    )


def _cell(label: str, content: str, kind: str = "word") -> str:
    """The label is for cards, whose heads are out of sight."""
    return f'<td class="{kind}" data-label="{label}">{content}</td>'


def _ours(claim: Claim, unit: str) -> str:
    ours = _value(claim.ours, unit)
    if claim.low is None or claim.high is None:
        return ours
    band = f"{claim.low:.4g} to {claim.high:.4g}"
    return f'<span>{ours} <span class="band">{band}</span></span>'


def _value(value: float | None, unit: str) -> str:
    return "" if value is None else escape(f"{value:.4g}{unit}")


def _verdict(verdict: str) -> str:
    kind = verdict.replace(" ", "-")
    sign = f'<span aria-hidden="true">{_SIGNS[verdict]}</span>'
    return f'<span class="verdict {kind}">{sign} {escape(verdict)}</span>'
