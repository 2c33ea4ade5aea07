"""The words of a command, read by tyro; its complaints in one line of ours."""

import contextlib
import dataclasses
import io
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import tyro
from rich.text import Text

from experiments.commands.endings import UsageError

__all__ = ["PROGRAM", "flags", "read"]

PROGRAM = "python -m experiments"

T = TypeVar("T")
_REPEATABLE = ("--grid", "--at")
_ADVICE = ("For full helptext", "Argument helptext")
_GROUPS = ("config: ", "asked: ", "base: ")  # of flags: a class of ours follows


def read(parse: Callable[[], T], argv: Sequence[str]) -> T:
    """What `parse` makes of `argv`; it is to do nothing else.

    Raises:
        UsageError: naming the flag and the value, if they make no sense.
    """
    _refuse_repeated(argv)
    _refuse_empty(argv)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint), _unwrapped(argv):
            return parse()
    except SystemExit as e:
        if not e.code:
            raise
        raise UsageError(_one_line(complaint.getvalue())) from None


def flags(fields: Sequence[Any], command: str, about: str, argv: Sequence[str]) -> Any:
    """The flags of a command: an object with these fields; raises as `read` does.

    Args:
        fields: name, type and default of each, for `dataclasses.make_dataclass`.
        command: and its experiment.
        about: for the page of help.
        argv: the words behind the command.
    """
    made = dataclasses.make_dataclass("Arguments", fields)
    prog, words = f"{PROGRAM} {command}", list(argv)
    return read(lambda: tyro.cli(made, prog=prog, description=about, args=words), words)


def _refuse_repeated(argv: Sequence[str]) -> None:
    """Of two values of one flag tyro silently drops the first."""
    words = itertools.takewhile(lambda word: word != "--", argv)
    flags = Counter(_flag(word) for word in words if word.startswith("--"))
    for flag, n in flags.items():
        if n > 1 and flag not in _REPEATABLE:
            raise UsageError(f"{flag} is given {n} times: once is enough")


def _refuse_empty(argv: Sequence[str]) -> None:
    """An empty word is a variable of a shell that is not set, never a value."""
    for before, word in itertools.pairwise(["", *argv]):
        flag, equals, value = word.partition("=")
        if not word or (flag.startswith("--") and equals and not value):
            raise UsageError(f"{flag or before} = '': a value is missing")


def _flag(word: str) -> str:
    """The flag that a word sets; `--no-loud` and `--loud` are the same."""
    return word.partition("=")[0].replace("_", "-").replace("--no-", "--", 1)


@contextlib.contextmanager
def _unwrapped(argv: Sequence[str]) -> Iterator[None]:
    """Keep a complaint in one line; a page of help keeps the terminal's width."""
    before = os.environ.get("COLUMNS")
    if not {"-h", "--help"} & set(argv):
        os.environ["COLUMNS"] = "100000"
    try:
        yield
    finally:
        os.environ.pop("COLUMNS", None)
        if before is not None:
            os.environ["COLUMNS"] = before


def _one_line(box: str) -> str:
    r"""What stands in tyro's box, without its frame, its title and its advice.

    Example:
        >>> _one_line("+ Value error --+\n|  Error parsing --chips: 'a' |\n| --- |")
        "--chips: 'a'"
    """
    lines = [line.strip("│| ") for line in Text.from_ansi(box).plain.splitlines()[1:]]
    said = [line for line in lines if line.strip("╰╯+─- ")]
    told = itertools.takewhile(lambda line: not line.startswith(_ADVICE), said)
    text = " ".join(" ".join(told).split()).removeprefix("Error parsing ")
    for group in _GROUPS:
        text = text.removeprefix(group)
    return text or "these arguments make no sense"
