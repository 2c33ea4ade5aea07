"""A digital machine that was timed at sampling: its file, and the speeds in it."""

import json
import tomllib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import scipy.optimize

from experiments.results.store import StoreError, read_file, write_atomically
from experiments.validate import (
    Ascending,
    Checked,
    NonNegative,
    Positive,
    Several,
)

PUBLISHED = "a6000"
MOST_BYTES = 2**20
POWER, IDLE = 100.0, 0.0
"""W where there is no meter: at work (ASSUMED), and idle, as others then use it."""
HEAD = "# A digital machine that samples a Gaussian, timed; s, W, flop/s.\n"


class Timing(NamedTuple):
    """What the parts of one task took, s.

    Attributes:
        factor: the Cholesky factor of a d x d matrix.
        normals: N normal vectors.
        product: of factor and normals.
    """

    factor: float
    normals: float
    product: float


class Timed(Checked):
    """A machine, by what was measured and by the speeds that fit it.

    Attributes:
        name: of the device.
        factor_rate: of factorisations, flop/s.
        product_rate: of products, flop/s.
        normal_time: of a normal number, s.
        overhead: of a task, s.
        slowest: least of fitted over measured times of a task, and `fastest` the most.
        fastest: see there.
        power: at work, W.
        power_source: a meter, or that it was told or ASSUMED.
        idle: between tasks, W.
        n_samples: N of a task.
        sizes: d.
        seconds: of a task, by size.
    """

    name: str
    factor_rate: Positive
    product_rate: Positive
    normal_time: NonNegative
    overhead: NonNegative
    slowest: Positive
    fastest: Positive
    power: Positive
    power_source: str
    idle: NonNegative
    n_samples: Positive
    sizes: Ascending[Positive]
    seconds: Several[Positive]

    def __post_init__(self):
        """Check every field; each size has a time."""
        super().__post_init__()
        n = len(self.sizes)
        self.require(len(self.seconds) == n, "seconds", f"must be {n}, one for a size")
        self.require(self.slowest <= 1, "slowest", "must be at most 1")
        self.require(self.fastest >= 1, "fastest", "must be at least 1")

    def constants(self) -> dict[str, float]:
        """Fields of a point of `spu_scaling`."""
        names = ("factor_rate", "product_rate", "normal_time", "overhead")
        return {f"digital_{n}": getattr(self, n) for n in (*names, "power", "idle")}

    def speeds(self) -> tuple[float, ...]:
        """The band that holds every measured time, to a per mille."""
        ends = (self.slowest, self.fastest)
        return tuple(sorted({1.0, *(x for x in ends if abs(x - 1) > 1e-3)}))

    def text(self) -> str:
        """As TOML."""
        lines = [f"{name} = {json.dumps(value)}" for name, value in vars(self).items()]
        return HEAD + "\n".join(lines) + "\n"


def fitted(
    name: str,
    timings: dict[int, Timing],
    n_samples: int,
    power: float,
    power_source: str,
) -> Timed:
    """The speeds that fit the times of parts, each with equal relative weight.

    Args:
        name: of the device.
        timings: d -> what its parts took.
        n_samples: N.
        power: at work, W.
        power_source: in words.

    Raises:
        ValueError: if a part takes no longer at large sizes than at small ones.
    """
    d = np.array(sorted(timings), float)
    rows = [timings[int(n)] for n in d]
    works = d**3 / 3, d * n_samples, 2 * d**2 * n_samples
    parts = zip(Timing._fields, works, zip(*rows, strict=True), strict=True)
    found = {part: _line(part, work, np.array(took)) for part, work, took in parts}
    total = np.array([sum(row) for row in rows])
    (cubic, a), (linear, b), (square, c) = (found[part] for part in Timing._fields)
    fit = cubic * works[0] + linear * works[1] + square * works[2] + a + b + c
    return Timed(
        name=name,
        factor_rate=1 / cubic,
        product_rate=1 / square,
        normal_time=linear,
        overhead=a + b + c,
        slowest=float(min((fit / total).min(), 1.0)),
        fastest=float(max((fit / total).max(), 1.0)),
        power=power,
        power_source=power_source,
        idle=IDLE,
        n_samples=n_samples,
        sizes=tuple(d.tolist()),
        seconds=tuple(total.tolist()),
    )


def _line(part: str, work: np.ndarray, took: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of times, neither negative."""
    table = np.stack([work, np.ones_like(work)], -1) / took[:, None]
    slope, intercept = scipy.optimize.nnls(table, np.ones_like(work))[0]
    if slope <= 0:
        words = "takes no longer at large sizes than at small ones: take larger ones"
        raise ValueError(f"sizes: {part} {words}")
    return float(slope), float(intercept)


def save(timed: Timed, path: str | Path) -> None:
    """Write the file, whole or not at all.

    Raises:
        StoreError: if it cannot be written.
    """
    write_atomically(path, timed.text().encode())


def load(path: str | Path) -> Timed:
    """Read a file that `save` wrote, or a person.

    Raises:
        ValueError: naming the file and what is wrong with it.
    """
    try:
        if (size := Path(path).stat().st_size) > MOST_BYTES:
            raise ValueError(f"{path}: must be at most {MOST_BYTES} bytes, got {size}")
        told: dict[str, Any] = tomllib.loads(read_file(path).decode())
    except OSError as e:
        raise ValueError(f"{path}: {e.strerror or e}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise ValueError(f"{path}: is no TOML: {e}") from e
    try:
        return Timed(**told)
    except TypeError as e:
        raise ValueError(f"{path}: is no timed machine: {e}") from e


def problem(path: str) -> str:
    """Why it is no timed machine; empty if it is one."""
    words = f"must be {PUBLISHED!r} or the file of a machine that was timed"
    try:
        load(path)
    except (ValueError, StoreError) as e:
        return f"{words} ({e})"
    return ""


def ascending(sizes: Sequence[int]) -> bool:
    """Two or more different sizes in order."""
    return len(sizes) > 1 and all(a < b for a, b in pairwise(sizes))
