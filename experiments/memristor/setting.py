"""What every memristor experiment has to know: seeds, chips, images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypedDict

import jax.random as jr
import xarray as xr
from jaxtyping import Array, Key

from experiments.data import DATA_SETS, Images, load_images
from experiments.validate import Count, Seed, check, one_of, refuse_unless
from experiments.work import Work

PUBLIC_R_WG = 1 / 80
"""Weight per conductance of the authors' public commands, 1/uS (STATED)."""

DataSet = Annotated[str, one_of(*DATA_SETS)]


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

    seed: Seed = 0
    n_seeds: Count = 2
    n_chips: Count = 16
    data: DataSet = "mnist5k"
    n_train: Count = 4000
    n_test: Count = 1000
    batch_size: Count = 64

    def __post_init__(self):
        """Check every field; the images must be there, and fill a batch."""
        check(self)
        require_images(self, self.data)

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


def require_images(asked: Any, data: str) -> None:
    """Refuse more images than a data set has, or a batch larger than all of them."""
    known = DATA_SETS[data]
    for name in ("n_train", "n_test"):
        most = getattr(known, name)
        words = f"{data} has {most:,} of them"
        refuse_unless(getattr(asked, name) <= most, asked, name, words)
    words = f"must be at most n_train = {asked.n_train}"
    refuse_unless(asked.batch_size <= asked.n_train, asked, "batch_size", words)


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
