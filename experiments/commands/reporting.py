"""`report`: every claim and figure of the results on one page."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from experiments import report as page
from experiments.commands.configured import Results
from experiments.commands.progress import say


def command(console: Console) -> Callable[..., int]:
    """The command, which prints on a console."""

    def report(results: Results = Path("results")) -> int:
        """Show every claim and figure of the results on one HTML page."""
        written = page.write(results)
        say(console, "report", [written.path])
        for problem in written.problems:
            console.print(f"not shown: {problem}", soft_wrap=True)
        return 1 if written.problems else 0

    return report
