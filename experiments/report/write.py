"""From a results folder to a page in it."""

from pathlib import Path
from typing import NamedTuple

from experiments.report.gather import gather
from experiments.report.page import page
from experiments.results import store

__all__ = ["Written", "write"]


class Written(NamedTuple):
    """What `write` leaves behind.

    Attributes:
        path: of the page.
        problems: what is in the folder and could not be shown; the page says so too.
    """

    path: Path
    problems: list[str]


def write(results: str | Path) -> Written:
    """Show every result of a folder on one page, `report.html` in that folder.

    Nothing is computed: figures are drawn from the stored datasets, claims are
    judged from them. A damaged or foreign result is named on the page.

    Raises:
        StoreError: if there is no such folder, nothing in it, or no room for the
            page; a page already there stays.
    """
    results = Path(results)
    gathered = gather(results)
    path = results / "report.html"
    store.write_atomically(path, page(gathered).encode())
    return Written(path, gathered.problems)
