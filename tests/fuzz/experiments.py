"""Bad input of `experiments`: fields, data sets, files and tables that lie."""

import dataclasses
import gzip
import io
import random
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from chipsweep import sweep
from experiments import EXPERIMENTS, catalogue, claims
from experiments.data import load_images
from experiments.report import write
from experiments.results import store
from tests.fuzz.spoil import INF, NAN, Subject, fault, spoilt
from tests.test_experiments_validate import wrong_values

BAND = {"low": 0.1, "high": 0.3}

FUNCTIONS = [
    Subject("load_images", load_images, {"name": "synthetic", "n_train": 20},
            {"name": "choice", "folder": ("/nowhere", 3, object(), b"x", __file__),
             "n_train": ("3", 0, -1, 10**9, 2.5, NAN, INF, [], True, 1j),
             "n_test": ("3", 0, -1, 10**9, 2.5, NAN, INF, [], True, 1j)}),
    *[Subject(f.__name__, f, {first: 0.2, **BAND},
              {"low": (0.4, NAN, "a", None, 1j), "high": (0.05, NAN, "a", None, 1j),
               first: ("a", None, 1j)})
      for f, first in ((claims.within, "published"), (claims.below, "bound"),
                       (claims.within_reach, "published"), (claims.above, "bound"))],
    Subject("within's tolerance", claims.within, {"published": 0.2, **BAND},
            {"tolerance": (-1.0, NAN, "a", None, 1j)}),
    Subject("monotone", claims.monotone, {"values": [1.0, 2.0]},
            {"values": ([], [1.0], None, 3, ["a", "b"], [1.0, 2j]),
             "slack": ("a", None, 1j, -1.0)}),
    Subject("both", lambda verdicts: claims.both(*verdicts), {},
            {"verdicts": ((), ("nope",), (None,), ("reproduced", 3))}),
    Subject("Claim", claims.Claim,
            {"claim": "c", "source": "s", "published": 1.0, "ours": 1.0, "low": 0.5,
             "high": 1.5, "unit": "", "scale": "", "verdict": "reproduced"},
            {"verdict": "choice", "low": (2.0, "a", 1j),
             "high": (0.1, "a", 1j),
             "published": ("a", 1j), "ours": ("a", 1j)}),
    Subject("report", write, {}, {"results": ("/nowhere", __file__)}),
]  # fmt: skip


def _point(point, chip, key):
    return {"y": 2.0 * point.v}


SWEEP = Subject(
    "sweep", partial(sweep, _point), {"axes": {"v": [0.0, 1.0]}},
    {"axes": (3, None, {"v": []}, {"v": [NAN]}, {"": [1.0]}, {3: [1.0]}, {"v": {}},
              {"v": object()}, {"v": [1.0, 1.0]}),
     "chips": ("3", 0, -1, 2.5, NAN, [], [1, 1], [-1], 1j, object(), True),
     "seeds": ("3", 0, -1, 2.5, NAN, [], [1, 1], [-1], 1j, object(), True),
     "key": ("3", 2.5, NAN, None, [], 1j, object(), True),
     "chunk": ("3", 0, -1, 2.5, NAN, [], 1j, object(), True),
     "reduce": (3, "y", {"nope": ()}, {"y": 3}, object()),
     "keep": (3, ("nope",), object()),
     "dims": (3, {"nope": ("a",)}, {"y": ("a", "b")}, object()),
     "may_be_nan": (3, ("nope",), object())},
    also={"axes": "axis", "verdicts": "verdict"},
)  # fmt: skip


def _configs() -> Iterator[Subject]:
    """Every field of every Config and base, of all presets."""
    for name in EXPERIMENTS:
        module = catalogue.find(name)
        for preset, config in catalogue.presets(module).items():
            for what, owner in (
                ("config", config),
                ("base", module.defaults(config)),
            ):
                kinds = {
                    field.name: tuple(wrong_values(owner, field.name))
                    for field in dataclasses.fields(owner)
                }
                change = partial(dataclasses.replace, owner)
                yield Subject(f"{name} {preset} {what}", change, {}, kinds)


# Files: written into a folder of their own, damaged, and read


def _damaged(content: bytes, draw: random.Random) -> Iterator[bytes]:
    """Nothing, half, another kind, and bytes changed at random."""
    yield from (
        b"",
        content[:1],
        content[: len(content) // 2],
        content[:-1],
        b"\0" * 64,
    )
    yield from (b"no such thing\n", gzip.compress(b"x"), b"PK\x03\x04" + content[9:99])
    yield content[len(content) // 3 :]
    for _ in range(8):
        place = draw.randrange(len(content))
        yield content[:place] + draw.randbytes(4) + content[place + 4 :]


class Unharmed(ValueError):
    """The damage changed nothing that is read."""


def _reads(name: str, read: Callable[[Path], Any], good: bytes, content: bytes):
    """Read a file with this content; what comes out as it was is no fault."""
    with tempfile.TemporaryDirectory() as folder:
        results = []
        for one in (good, content):
            (Path(folder) / name).write_bytes(one)
            results.append(read(Path(folder) / name))
        if _equal(*results):
            raise Unharmed(f"{name.split('.')[0]} reads as it was")
        return results[1]


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, xr.Dataset):
        return a.identical(b)
    return repr(a) == repr(b)


def _image_file(path: Path) -> list[Any]:
    images = load_images("mnist", 20, 10, folder=path.parent)
    return [x.tobytes() for x in (images.x_train, images.y_train, images.x_test)]


@cache
def _files() -> dict[str, tuple[Callable[[Path], Any], bytes]]:
    """Name -> how it is read, and what a good one holds."""
    random_numbers = np.random.default_rng(0)
    image = io.BytesIO()
    shapes = {"X": (40, 28, 28), "y": (40,), "Xt": (20, 28, 28), "yt": (20,)}
    numbers = {
        k: random_numbers.integers(0, 10, s, np.uint8) for k, s in shapes.items()
    }
    np.savez_compressed(image, **numbers)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        store.save(xr.Dataset({"x": ("t", np.arange(50.0))}, attrs={"a": "b"}), path)
        result = path.read_bytes()
        row = claims.not_attempted("a claim", "a source", 1.5)
        claims.write_csv(path, {"scheme": [row, row]})
        table = path.read_bytes()
    return {
        "result.nc": (store.load, result),
        "claims.csv": (claims.read_csv, table),
        "mnist.npz": (_image_file, image.getvalue()),
    }


def _file_subjects(seed: int) -> Iterator[Subject]:
    draw = random.Random(seed)
    for name, (read, good) in _files().items():
        stem = name.split(".")[0]
        call = lambda name=name, read=read, good=good, **content: _reads(  # noqa: E731
            name, read, good, *content.values()
        )
        yield Subject(f"read {name}", call, {}, {stem: tuple(_damaged(good, draw))})


def subjects(seed: int) -> list[Subject]:
    """Everything that takes what a person wrote, or what lies on a disk."""
    return [*FUNCTIONS, SWEEP, *_file_subjects(seed), *_configs()]


def faults(seed: int, count: int) -> Iterator[str]:
    """A line for every one of `count` bad inputs that was not refused by name.

    Half are fields of Configs, which are many; half are all the rest.
    """
    others = [*FUNCTIONS, SWEEP, *_file_subjects(seed)]
    for chosen in (others, list(_configs())):
        for subject, argument, value in spoilt(chosen, seed, count // 2):
            wrong = fault(subject, argument, value)
            if wrong:
                yield wrong
