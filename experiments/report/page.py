"""The page itself: HTML that needs no script, no server and no network."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from itertools import groupby
from string import Template

from experiments.report.article import command, experiment
from experiments.report.gather import Gathered, Result
from experiments.report.reading import computed, words
from experiments.report.table import judged, table, tally

__all__ = ["page"]


def page(gathered: Gathered) -> str:
    """The whole document: the same text for the same results."""
    results = groupby(gathered.results, key=lambda result: result.name)
    shown = {name: list(found) for name, found in results}
    claims, rest = judged(gathered.results), _rest(gathered)
    sections = [_section("claims", "Claims", table(claims))] if claims else []
    for name, found in shown.items():
        sections.append(_section(name, found[0].title, experiment(found)))
    sections += [_section("rest", "Not here", rest)] if rest else []
    warning = '<p class="warning">Some things are <a href="#rest">not here</a>.</p>'
    return Template(_file("page.html")).substitute(
        style=_file("page.css"),
        summary="\n".join(
            [
                computed(gathered.results),
                tally(claims),
                warning if rest else "",
                words(),
            ]
        ),
        contents=_contents(shown, bool(claims), bool(rest)),
        body="\n".join(sections),
    )


def _contents(shown: Mapping[str, Sequence[Result]], claims: bool, rest: bool) -> str:
    entries = [("claims", "claims", "Published, ours, verdict")] if claims else []
    entries += [(name, name, found[0].title) for name, found in shown.items()]
    entries += [("rest", "not here", "Missing, failed or damaged")] if rest else []
    return "\n".join(
        f'<li><a href="#{escape(anchor)}">{escape(head)}</a> {escape(text)}</li>'
        for anchor, head, text in entries
    )


def _rest(gathered: Gathered) -> str:
    """What is missing, what failed, what could not be read; "" if nothing."""
    unread = [
        f"<h3>{escape(path.name)}: cannot be shown</h3>\n<p>{escape(why)}</p>"
        for path, why in gathered.unread.items()
    ]
    failed = [
        f"<h3>{escape(name)}: its last run failed</h3>\n"
        f"<details><summary>{escape(log.splitlines()[-1])}</summary>"
        f"<pre>{escape(log)}</pre></details>"
        for name, log in gathered.failed.items()
    ]
    missing = [
        f"<h3>{escape(name)}: no result</h3>\n{command(line)}"
        for name, line in gathered.missing.items()
    ]
    return "\n".join([*unread, *failed, *missing])


def _section(anchor: str, head: str, body: str) -> str:
    title = escape(head.rstrip("."))
    return f'<section id="{escape(anchor)}">\n<h2>{title}</h2>\n{body}\n</section>'


def _file(name: str) -> str:
    return (
        resources.files("experiments.report").joinpath(name).read_text(encoding="utf-8")
    )
