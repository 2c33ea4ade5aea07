"""What a stranger needs on top: when and by what it was computed, and the words."""

import csv
from collections.abc import Iterable
from html import escape
from importlib import resources

from experiments.claims import MEANINGS
from experiments.report.gather import Result

__all__ = ["computed", "words"]


def computed(results: Iterable[Result]) -> str:
    """When, by which commit and with which libraries: of all results, each once."""
    attrs = [result.attrs for result in results]
    days = sorted({str(a["created"])[:10] for a in attrs if "created" in a})
    commits = list(dict.fromkeys(str(a["commit"])[:8] for a in attrs if "commit" in a))
    versions = list(dict.fromkeys(str(a["versions"]) for a in attrs if "versions" in a))
    when = " to ".join(dict.fromkeys([*days[:1], *days[-1:]]))
    told = [("Computed", when), ("by commit", ", ".join(commits))]
    told += [("with", "; or ".join(versions))]
    text = " ".join(f"{what} {escape(value)}" for what, value in told if value)
    return f'<p class="soft">{text}.</p>' if text else ""


def words() -> str:
    """What the verdicts mean, and every symbol and unit of the figures."""
    rows = [(escape(v), escape(f"{what}.")) for v, what in MEANINGS.items()]
    for symbol, code, what, unit in _glossary():
        said = f"{what}, {unit}" if unit else what
        rows.append((escape(symbol), escape(f"{said} ({code})" if code else said)))
    listed = "\n".join(f"<dt>{head}</dt><dd>{text}</dd>" for head, text in rows)
    summary = "<summary>Verdicts, symbols and units</summary>"
    return f"<details>{summary}\n<dl>\n{listed}\n</dl></details>"


def _glossary() -> list[list[str]]:
    file = resources.files("experiments.report").joinpath("glossary.csv")
    return list(csv.reader(file.read_text(encoding="utf-8").splitlines()))[1:]
