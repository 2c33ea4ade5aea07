"""Bad command lines: what they are, and what their refusal must name."""

import contextlib
import itertools
import types
import typing
from collections.abc import Iterator
from typing import Any, NamedTuple

from experiments import EXPERIMENTS, catalogue

REAL = tuple(EXPERIMENTS)
TOYS = {"toy": "tests.toy_experiment", "walk": "tests.toy_chips"}
LONG = "x" * 300
WORDS = ("two", "", " ", "None", "1,5", "0x1", "--", "é🦊", "[red]", "1;ls", "\udcff")
NUMBERS = {
    int: ("1.5", "nan", "inf", "1e3", "True", *WORDS),
    float: ("nan", "inf", "-inf", "1e400", "1e", "0,1", "True", *WORDS),
    str: ("nope", "", " ", "é🦊", "[red]", "\udcff", LONG),
}
BELOW = {int: ("-1", "99999999999999999999999"), float: ("-1", "-1e-30", "1e39")}
NAMES = ("nope", "é🦊", "../x", "toyy", "TOY", "[b]", LONG, "-", "\udcff", "%s", "a b")


class Bad(NamedTuple):
    """A command line that makes no sense.

    Attributes:
        words: of it; `{results}` and other names in braces are made by `_place`.
        named: of each of these groups one must stand in the message.
    """

    words: tuple[str, ...]
    named: tuple[tuple[str, ...], ...] = ()


def every_line() -> Iterator[Bad]:
    """All bad command lines that there are."""
    yield from _of_names()
    yield from _of_configs()
    yield from _of_sweeps()
    yield from _of_replays()
    yield from _of_paths()
    yield from _of_shape()


def _of_names() -> Iterator[Bad]:
    for name in NAMES:
        yield Bad((name,), ((name.strip("-"),),))
        for command in ("run", "sweep", "replay", "plot"):
            if not name.startswith("-"):
                yield Bad((command, name, "--results", "{new}"), ((_plain(name),),))
        for words in (
            ["run", "toy"],
            ["reproduce"],
            ["run", "scheme"],
        ):
            given = (*words, "--preset", name, "--results", "{new}")
            yield Bad(given, (("preset",), (_plain(name),)))
        yield Bad(("reproduce", "--only", "toy", name), ((_plain(name),),))


def _of_configs() -> Iterator[Bad]:
    """Every field of every experiment, and of what a sweep of it starts from."""
    for name in REAL:
        module = catalogue.find(name)
        for field, values in _bad_fields(module.Config):
            for value in values:
                yield _of_flag(("run", name), field, value)
        for field, values in _bad_fields(type(module.defaults(module.Config()))):
            for value in values:
                yield _of_flag(("sweep", name), f"base.{field}", value)


def _of_flag(command: tuple[str, ...], field: str, value: str) -> Bad:
    flag = f"--{field.replace('_', '-')}"
    bare = field.rpartition(".")[2]
    named = (flag, bare, bare.replace("_", "-"))
    words = (*command, f"{flag}={value}", "--results", "{new}")
    return Bad(words, (named, (_plain(value), *_read(value))))


def _read(value: str) -> tuple[str, ...]:
    """As a number, that is shown where the number is refused."""
    with contextlib.suppress(ValueError):
        return (str(float(value)),)
    return ()


def _bad_fields(owner: type) -> Iterator[tuple[str, tuple[str, ...]]]:
    for field, hint in typing.get_type_hints(owner, include_extras=True).items():
        kind, ruled, optional = _kind(hint)
        values = NUMBERS.get(kind, ())
        values += BELOW.get(kind, ()) if ruled else ()
        yield field, tuple(v for v in values if not (optional and v == "None"))


def _kind(hint: Any) -> tuple[type, bool, bool]:
    """What an item of a field is, whether a rule bounds it, and if it may be None."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        kind, ruled, optional = _kind(parts[0])
        return kind, ruled or kind is not str, optional
    if origin is tuple:
        return _kind(parts[0])
    if origin in (typing.Union, types.UnionType):
        (one,) = (part for part in parts if part is not type(None))
        kind, ruled, _ = _kind(one)
        return kind, ruled, True
    return hint, False, False


SWEEP: dict[str, tuple[str, ...]] = {
    "chips": ("0", "-1", "1.5", "two", "nan", "", "99999999999999999999"),
    "seeds": ("0", "-3", "1e3", "two", "", "99999999999999999999"),
    "key": ("two", "1.5", "", "nan", "-1", "99999999999999999999999"),
    "design": ("nope", "", "Grid", "é🦊"),
    "points": ("two", "", "1.5"),
    "reduce": ("nope", "", "é🦊", "[red]"),
    "structural": ("nope", "", "mean", "é🦊"),
    "chunk": ("-1", "two", "1.5", "", "99999999999999999999"),
    "share": ("2/2", "1", "a/b", "-1/2", "1/0", "0/-1", "1/2/3", "²/3", " ", "0/0"),
    "draw": ("",),  # any other word is told, and changes nothing in the result
}
AXES = ("", "=", "mean", "mean=", "=1", "nope=1", "mean=a", "mean=1,1", "mean=nan")
AXES += (
    "mean=inf",
    "mean=1,,2",
    "length=1.5",
    "mean=1e400",
    "é🦊=1",
    "chip=1",
    "mean==1",
)


def _of_sweeps() -> Iterator[Bad]:
    for field, values in SWEEP.items():
        for value in values:
            yield _of_flag(("sweep", "walk"), field, value)
    for axis in AXES:
        words = ("sweep", "walk", f"--grid={axis}", "--results", "{new}")
        yield Bad(words, (("grid", "axis", "field", "mean"),))
    for design, n in itertools.product(("random", "sobol"), ("0", "-1")):
        words = ("sweep", "walk", "--grid=mean=0,1", f"--design={design}")
        yield Bad((*words, f"--points={n}", "--results", "{new}"), ((n,),))
    words = ("sweep", "walk", "--design=zip", "--grid=mean=0,1", "--grid=noise=0")
    yield Bad((*words, "--results", "{new}"), (("Zip",),))
    twice = ("--grid=mean=0", "--grid=mean=1", "--results", "{new}")
    yield Bad(("sweep", "walk", *twice), (("twice",),))


def _of_replays() -> Iterator[Bad]:
    swept = ("replay", "walk", "--grid=mean=0,1", "--grid=noise=0.5")
    at = ("--at=mean=1", "--at=noise=0.5")
    for value in ("", "nope", "mean", "mean=", "mean=9", "mean=a", "=1", "nope=1"):
        words = (*swept, f"--at={value}", "--at=noise=0.5")
        yield Bad(words, (("at", "point", "mean", "FIELD"),))
    yield Bad((*swept, *at, at[0]), (("mean",),))
    yield Bad(swept, (("point",),))
    for field in ("chip", "seed"):
        for value in ("-1", "99", "a", "", "1.5", "nan", "99999999999999999999"):
            words = (*swept, *at, f"--{field}={value}")
            yield Bad(words, ((field,), (_plain(value),)))
    for file in ("{folder}", "{fifo}", "{notes}", "{dangling}/a.nc", "{fifo}/a.nc"):
        yield Bad((*swept, *at, f"--file={file}"), ((file,),))
    for where in (*NOT_A_FOLDER, "{folder}", "{damaged}", "{results}"):
        yield Bad(("peek", where), ((where,),))
        yield Bad((*swept, *at, f"--store={where}"), ((where,),))


NOT_A_FOLDER = ("{fifo}", "{notes}", "{dangling}", "{long}", "{notes}/a", "/dev/null")
NOT_A_FOLDER += ("/proc/nowhere/a",)


def _of_paths() -> Iterator[Bad]:
    """Every path of every command, where something else lies in its place."""
    sweep = ("sweep", "walk", "--chips=1")
    commands = (("run", "toy"), sweep)
    commands += (("plot", "toy"), ("reproduce",), ("report",), ("run", "scheme"))
    commands += (("plot", "scheme"), ("run", "spu_sampling", "--preset=smoke"))
    for command, where in itertools.product(commands, NOT_A_FOLDER):
        yield Bad((*command, f"--results={where}"), ((where,),))
        yield Bad((*command, "--results", where), ((where,),))
    for command in commands:
        yield Bad((*command, "--results="), (("results",),))
        yield Bad((*command, "--results"), (("results",),))
    files = ("{folder}", "{fifo}", "{notes}", "{dangling}", "{long}", "{cut}", "{new}")
    for name, file in itertools.product(("toy", "scheme"), (*files, "/dev/null")):
        yield Bad(("plot", name, "--file", file), ((file,),))
    yield Bad(("plot", "walk", "--file", "{results}/toy.nc"), (("toy",),))
    for where in ("{folder}", "{new}"):
        yield Bad(("report", "--results", where), ((where,),))
        yield Bad(("plot", "toy", "--results", where), ((where,),))
    yield Bad(("reproduce", "--results", "{foreign}"), (("claims.csv",),))


def _of_shape() -> Iterator[Bad]:
    """Too few words, too many, twice the same, or in each other's way."""
    yield Bad((), (("run",),))
    for command in ("run", "sweep", "replay"):
        yield Bad((command,), (("NAME",),))
        yield Bad((command, "--results", "{new}"), (("--results", "NAME"),))
    for command in (("plot",), ("peek",)):
        yield Bad(command)
    for command in (("list",), ("report",), ("run", "toy"), ("sweep", "walk")):
        for more in ("more", "--nope", "--nope=1", "-x", "é🦊", "--", LONG):
            if (command, more) != (("list",), "--"):
                yield Bad((*command, more, "extra"), (("extra", more),))
    twice = {
        "results": ("run toy", "sweep walk", "plot toy", "reproduce"),
        "preset": ("run toy", "reproduce"),
        "seed": ("run scheme", "run spu_solvers", "replay walk"),
        "chips": ("sweep walk", "sweep chip_yield"),
        "n-chips": ("run toy", "run threshold"),
        "only": ("reproduce",),
    }
    for field, commands in twice.items():
        for command in commands:
            for a, b in (("1", "2"), ("1", "1")):
                words = (*command.split(), f"--{field}", a, f"--{field}={b}")
                yield Bad(words, ((field,),))
    yield Bad(("run", "toy", "--loud", "--no-loud"), (("loud",),))
    yield Bad(("run", "toy", "--loud=maybe"), (("maybe",),))
    yield Bad(("reproduce", "--only"), (("only",),))
    yield Bad(("reproduce", "--only", "toy", "toy"), (("only",),))


def _plain(value: str) -> str:
    """What a message can be held against: the rest is shown in escapes."""
    return value if value.isascii() and value.strip() else ""
