"""One experiment on the page: figure, caption, commands, configuration, provenance."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from experiments.report.drawing import Drawing
from experiments.report.gather import Result

__all__ = ["command", "experiment"]

_APART = ("experiment", "config", "scale", "sweep", "command")
"""Shown in another place, or meant for programs."""


def experiment(results: Sequence[Result]) -> str:
    """All results of one experiment."""
    head = f'<p class="soft">Reproduces: {escape(results[0].reproduces)}</p>'
    return "\n".join([head, *map(_article, results)])


def _article(result: Result) -> str:
    problems = [f'<p class="warning">{escape(text)}</p>' for text in result.problems]
    parts = [
        _figure(result, result.drawn) if result.drawn else _scale(result),
        *problems,
        *(_command(what, line) for what, line in result.commands.items()),
        _details("Configuration", _config(result)),
        _details("Provenance", _provenance(result)),
    ]
    return "<article>\n" + "\n".join(parts) + "\n</article>"


def _figure(result: Result, drawn: Drawing) -> str:
    caption = escape(" ".join([*result.text.split(), drawn.caption]))
    size = f'width="{drawn.width}" height="{drawn.height}"'
    return f"""<figure>
<div class="frame" tabindex="0" role="group" aria-label="Figure: {escape(result.name)}">
<img src="{drawn.url}" alt="{escape(drawn.alt)}" {size}>
</div>
<figcaption><span class="swipe">Swipe the figure to see all of it.</span>
{_scale(result)} {caption}</figcaption>
</figure>"""


def _scale(result: Result) -> str:
    scale = result.attrs.get("scale", "unknown")
    return f'<span class="scale">Scale: {escape(str(scale))}.</span>'


def _command(what: str, line: str) -> str:
    return f'<p class="label">{what}</p>\n{command(line)}'


def command(line: str) -> str:
    """A command to copy; a line ends between words, not in one."""
    words = (f"<span>{escape(word)}</span>" for word in line.split(" "))
    return f'<pre class="command">{" ".join(words)}</pre>'


def _provenance(result: Result) -> dict[str, Any]:
    sizes = ", ".join(f"{name} {n}" for name, n in result.sizes.items())
    known = {"file": result.path, "dimensions": sizes, **result.attrs}
    return {key: value for key, value in known.items() if key not in _APART}


def _config(result: Result) -> dict[str, Any]:
    text = result.attrs.get("config", "{}")
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError):
        return {"config": text}


def _details(head: str, items: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(_text(value))}</dd>\n"
        for key, value in items.items()
    )
    return f"<details><summary>{head}</summary>\n<dl>\n{rows}</dl></details>"


def _text(value: Any) -> str:
    several = isinstance(value, list | tuple)
    return ", ".join(map(_text, value)) if several else str(value)
