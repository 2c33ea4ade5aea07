"""Bad command lines: each must end in one error of ours that names what is wrong.

Nearly all run in this process, through the entry of the program, beside two small
experiments; from 300 on some are given to real processes too.
"""

import contextlib
import io
import itertools
import os
import random
import subprocess
import sys
import tempfile
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from experiments import EXPERIMENTS, catalogue, cli, style

REAL = tuple(EXPERIMENTS)
TOYS = {"toy": "tests.toy_experiment", "walk": "tests.toy_chips"}
PROCESSES = 36
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


class _Accepted(BaseException):
    """An experiment began."""


def faults(seed: int, count: int) -> Iterator[str]:
    """A line for each of `count` bad command lines that was not refused in words."""
    lines = list(itertools.islice(_drawn(seed), count))
    real = [bad for bad in lines if not set(bad.words) & set(TOYS)]
    with _place() as names:
        for bad in lines:
            yield from _judged(bad, names, _inside)
        for bad in real[: PROCESSES if count >= 300 else 0]:
            yield from _judged(bad, names, _process)


def _drawn(seed: int) -> Iterator[Bad]:
    """Every one once before any comes twice."""
    draw = random.Random(seed)
    while True:
        lines = list(every_line())
        draw.shuffle(lines)
        yield from lines


def every_line() -> Iterator[Bad]:
    """All bad command lines that there are."""
    yield from _of_names()
    yield from _of_configs()
    yield from _of_sweeps()
    yield from _of_grids()
    yield from _of_replays()
    yield from _of_paths()
    yield from _of_shape()


def _of_names() -> Iterator[Bad]:
    for name in NAMES:
        yield Bad((name,), ((name.strip("-"),),))
        for command in ("run", "grid", "sweep", "plot"):
            if not name.startswith("-"):
                yield Bad((command, name, "--results", "{new}"), ((_plain(name),),))
        for words in (
            ["run", "toy"],
            ["grid", "toy"],
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
        for field, values in _bad_fields(type(catalogue.defaults(module))):
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
    "process": ("2/2", "1", "a/b", "-1/2", "1/0", "0/-1", "1/2/3", "²/3", " ", "0/0"),
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
    yield Bad(("sweep", "toy"), (("one_chip",),))


def _of_grids() -> Iterator[Bad]:
    values = ("", "=", "n_chips", "n_chips=", "=1", "nope=1", "n_chips=a", "n_chips=0")
    values += ("n_chips=1,1", "n_chips=1.5", "loud=yes", "slopes=a", "slopes=1:a")
    for value in values:
        words = ("grid", "toy", f"--grid={value}", "--results", "{new}")
        yield Bad(words, (("grid", "field", "n_chips"),))
    twice = ("--grid=loud=true", "--grid=loud=false", "--results", "{new}")
    yield Bad(("grid", "toy", *twice), (("loud",),))
    for name in REAL:
        for value in ("seed=-1", "seed=a", "seed=", "nope=1", "seed=1,1", "seed=nan"):
            words = ("grid", name, f"--grid={value}", "--results", "{new}")
            yield Bad(words, (("seed", "nope"),))


def _of_replays() -> Iterator[Bad]:
    at = ("--at=mean=1", "--at=noise=0.5")
    for value in ("", "nope", "mean", "mean=", "mean=9", "mean=a", "=1", "nope=1"):
        words = ("replay", "{store}", f"--at={value}", "--at=noise=0.5")
        yield Bad(words, (("at", "point", "mean", "FIELD"),))
    yield Bad(("replay", "{store}", *at, at[0]), (("mean",),))
    yield Bad(("replay", "{store}"), (("point",),))
    for field in ("chip", "seed"):
        for value in ("-1", "99", "a", "", "1.5", "nan", "99999999999999999999"):
            words = ("replay", "{store}", *at, f"--{field}={value}")
            yield Bad(words, ((field,), (_plain(value),)))
    for file in ("{folder}", "{fifo}", "{notes}", "{dangling}/a.nc", "{fifo}/a.nc"):
        yield Bad(("replay", "{store}", *at, f"--file={file}"), ((file,),))
    for command in ("replay", "peek"):
        for where in (*NOT_A_FOLDER, "{folder}", "{damaged}", "{results}"):
            yield Bad((command, where), ((where,),))


NOT_A_FOLDER = ("{fifo}", "{notes}", "{dangling}", "{long}", "{notes}/a", "/dev/null")
NOT_A_FOLDER += ("/proc/nowhere/a",)


def _of_paths() -> Iterator[Bad]:
    """Every path of every command, where something else lies in its place."""
    sweep = ("sweep", "walk", "--chips=1")
    commands = (("run", "toy"), ("grid", "toy", "--grid=loud=true"), sweep)
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
    for command in ("run", "grid", "sweep"):
        yield Bad((command,), (("NAME",),))
        yield Bad((command, "--results", "{new}"), (("--results", "NAME"),))
    for command in (("plot",), ("replay",), ("peek",)):
        yield Bad(command)
    for command in (("list",), ("report",), ("run", "toy"), ("sweep", "walk")):
        for more in ("more", "--nope", "--nope=1", "-x", "é🦊", "--", LONG):
            if (command, more) != (("list",), "--"):
                yield Bad((*command, more, "extra"), (("extra", more),))
    twice = {
        "results": ("run toy", "grid toy", "sweep walk", "plot toy", "reproduce"),
        "preset": ("run toy", "grid scheme", "reproduce"),
        "seed": ("run scheme", "run spu_solvers", "replay {store}"),
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


@contextlib.contextmanager
def _place() -> Iterator[dict[str, str]]:
    """A folder with all that may lie in the way, and a process that computes little."""
    with contextlib.ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(contextlib.chdir(top))
        stack.enter_context(mock.patch.dict(EXPERIMENTS, TOYS))
        stack.enter_context(mock.patch.dict(style.STYLE, {"savefig.dpi": 20}))
        stack.enter_context(mock.patch.dict(os.environ, {"COLUMNS": "80"}))
        for name in REAL:
            module = catalogue.find(name)
            stack.enter_context(mock.patch.object(module, "run", _begin))
        yield _laid_out(top)


def _begin(*_: object, **__: object) -> None:
    raise _Accepted


def _laid_out(top: Path) -> dict[str, str]:
    names = "results folder foreign damaged fifo notes dangling cut new"
    place = {name: top / name for name in names.split()}
    for name in ("folder", "foreign", "damaged"):
        place[name].mkdir()
    os.mkfifo(place["fifo"])
    place["notes"].write_text("my notes")
    place["dangling"].symlink_to(top / "nowhere")
    (place["foreign"] / "claims.csv").write_text("a,b\n1,2\n")
    (place["damaged"] / "sweep.json").write_text('{"format": "eapu-jax sweep 2"}')
    results = ["--results", str(place["results"])]
    sweep = ["sweep", "walk", "--chips=2", "--grid=mean=0,1", "--grid=noise=0.5"]
    for words in (["run", "toy", *results], [*sweep, *results]):
        assert _inside(words, {})[0] == 0
    (store,) = (place["results"] / "walk").glob("sweep-*")
    place["cut"].write_bytes((place["results"] / "toy.nc").read_bytes()[:2000])
    long = {"long": str(top / LONG), "store": str(store)}
    return {name: str(path) for name, path in place.items()} | long


def _judged(bad: Bad, names: dict[str, str], call: Any) -> Iterator[str]:
    words = [_filled(word, names) for word in bad.words]
    before = _held(Path.cwd())
    status, shown, told = call(words, names)
    wrong = []
    if status not in (1, 2):
        wrong.append(f"status {status}")
    if sum(line.startswith("error: ") for line in told.splitlines()) != 1:
        wrong.append("not one error")
    for text in ("Traceback", "unexpected;", "Exception ignored"):
        if text in shown + told:
            wrong.append(text)
    for group in bad.named:
        if not any(_filled(text, names) in told for text in group):
            wrong.append(f"none of {group} named")
    if _held(Path.cwd()) != before:
        wrong.append("something is written")
    if wrong:
        line, said = " ".join(map(ascii, words)), " ".join(told.split())
        yield f"{line[:200]} ({call.__name__}): {'; '.join(wrong)}: {said[-200:]!a}"


def _filled(word: str, names: dict[str, str]) -> str:
    for name, path in names.items():
        word = word.replace(f"{{{name}}}", path)
    return word


def _held(folder: Path) -> set[tuple[str, int, int]]:
    """Every file of a folder, its size and when it was written."""
    found = ((str(p), p.lstat()) for p in folder.rglob("*"))
    return {(p, s.st_size, s.st_mtime_ns) for p, s in found}


def _inside(words: list[str], names: dict[str, str]) -> tuple[Any, str, str]:
    del names
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status: Any = cli.main(words)
        except BaseException as e:
            status = f"{type(e).__name__} {e}"
    return status, out.getvalue(), err.getvalue()


def _process(words: list[str], names: dict[str, str]) -> tuple[Any, str, str]:
    del names
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "experiments", *map(os.fsencode, words)],
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(root)},
        timeout=600,
    )
    texts = (
        text.decode(errors="backslashreplace") for text in (done.stdout, done.stderr)
    )
    return done.returncode, *texts
