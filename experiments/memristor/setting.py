"""What every memristor experiment has to know: seeds, chips, images."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypedDict

import jax.random as jr
import xarray as xr
from jaxtyping import Array, Key

from experiments.data import Images, load_images
from experiments.work import Work

PUBLIC_R_WG = 1 / 80
"""Weight per conductance of the authors' public commands, 1/uS (STATED)."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Seeds, chips and images of an experiment.

    A seed fixes starting weights and the order of the images; a chip fixes the
    dice of the rule and the errors of its writes.

    Attributes:
        seed: root of every random key.
        n_seeds: trainings with different starting weights and image orders.
        n_chips: simulated chips per seed.
        data: data set, see `experiments.data`.
        n_train: training images.
        n_test: test images.
        batch_size: images per step.
    """

    seed: int = 0
    n_seeds: int = 2
    n_chips: int = 16
    data: str = "mnist5k"
    n_train: int = 4000
    n_test: int = 1000
    batch_size: int = 64

    def __post_init__(self):
        """Refuse empty populations; what depends on the data is checked with it."""
        for name in ("n_seeds", "n_chips", "n_train", "n_test", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name} must be at least 1, got {getattr(self, name)}"
                )
        if self.batch_size > self.n_train:
            raise ValueError(
                f"batch_size must be at most n_train = {self.n_train}, "
                f"got {self.batch_size}"
            )

    def images(self) -> Images:
        """The images, with their provenance."""
        return images(self.data, self.n_train, self.n_test)

    def key(self, index: int) -> Key[Array, ""]:
        """The key of seed number `index`."""
        return jr.fold_in(jr.key(self.seed), index)


@cache
def images(data: str, n_train: int, n_test: int) -> Images:
    """The images of a data set, read once."""
    return load_images(data, n_train, n_test)


class Scale(TypedDict):
    """Population and images of a preset."""

    n_seeds: int
    n_chips: int
    data: str
    n_train: int
    n_test: int


SMOKE = Scale(n_seeds=1, n_chips=2, data="digits", n_train=320, n_test=100)
"""Seconds: for tests."""
LARGE = Scale(n_seeds=5, n_chips=64, data="mnist", n_train=60_000, n_test=10_000)
"""Towards the paper, with real test sets; its ResNets and Swin are for later."""


def merged(first: xr.Dataset, *others: xr.Dataset) -> xr.Dataset:
    """One dataset of several that share coordinates, exactly."""
    for other in others:
        first = first.merge(other, compat="equals", join="exact")
    return first


def require_positive(name: str, values: float | Sequence[float]) -> None:
    """Raise ValueError unless every value is positive and finite, and one is there."""
    several = values if isinstance(values, Sequence) else [values]
    if not several or not all(0 < v < math.inf for v in several):
        raise ValueError(f"{name} must be positive and finite, got {values}")


def lay_out(
    work: Work, axes: Mapping[str, Sequence[Any]], compute: Callable[..., xr.Dataset]
) -> xr.Dataset:
    """Compute one part per point of a grid and lay the parts out on labelled axes.

    Args:
        work: keeps the parts; each is labelled by its point.
        axes: name of a new dimension -> its values, outermost first.
        compute: `compute(**point)`, a dataset of the same form at every point.

    Returns:
        One dataset with the new dimensions in front.

    Example:
        >>> def area(side, height):
        ...     return xr.Dataset({"area": side * height})
        >>> lay_out(Work(), {"side": [1, 2], "height": [3.0]}, area).area.values
        array([[3.],
               [6.]])
    """
    if not axes:
        raise ValueError("axes must name at least one dimension, got none")
    return _lay_out(work, list(axes.items()), compute, {})


def _lay_out(work, axes, compute, point) -> xr.Dataset:
    if not axes:
        label = ", ".join(f"{name} {value}" for name, value in point.items())
        return work.part(label, lambda: compute(**point))
    (name, values), *rest = axes
    parts = [_lay_out(work, rest, compute, {**point, name: v}) for v in values]
    return xr.concat(
        parts,
        xr.DataArray(list(values), dims=name, name=name),
        data_vars="all",
        coords="minimal",
        compat="override",
        join="exact",
        combine_attrs="override",
    )
