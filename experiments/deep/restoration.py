"""Deep networks that restore photographs: what one training depends on, how it runs.

Patches are cut at random places of photographs to learn from and on a grid of others
to be tested on; a network is applied to larger pictures, too, for the eye.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from flax import linen as nn

from chipsweep import Keys
from experiments.data.patches import at_random, on_a_grid
from experiments.data.photographs import PHOTOGRAPHS, load_photographs
from experiments.deep.training import Deep, DeepSetting, learn
from experiments.learning.inputs import Data
from experiments.learning.recipe import Recipe
from experiments.learning.restoration import as_bytes, psnr, ssim, studio_luma
from experiments.learning.task import Task
from experiments.validate import Checked, Count, Positive, bounds, one_of

PICTURE, PICTURES = 96, 4
"""Side, pixels, and number of the pictures for the eye."""
CONTRAST = 2 / 255
"""Least standard deviation of a test patch: even ones would score an infinite PSNR."""

DIMS = {
    **dict.fromkeys(("psnr", "ssim", "psnr_input", "ssim_input", "loss"), ("epoch",)),
    **dict.fromkeys(("given", "restored", "truth"), ("picture", "row", "column")),
}


class Photographed(Checked):
    """Which photographs are restored.

    Attributes:
        photographs: to learn from, see `experiments.data.photographs`.
        judges: photographs of the test.
        colours: "gray", or "colour": red, green and blue, judged by their luma.
        side: of a patch, pixels (structural); 16 or more, for the window of SSIM.
        n_train: patches to learn from (structural).
        n_test: test patches (structural).
        batch_size: patches per step (structural).
        swing: white less black on the lines out of a network without a sigmoid: what
            a write error of a weight is measured by.
    """

    photographs: Annotated[str, one_of(*PHOTOGRAPHS)] = "packaged"
    judges: Annotated[str, one_of(*PHOTOGRAPHS)] = "packaged_test"
    colours: Annotated[str, one_of("gray", "colour")] = "gray"
    side: Annotated[int, bounds(16, PICTURE)] = 24
    n_train: Count = 1600
    n_test: Count = 96
    batch_size: Count = 16
    swing: Positive = 32.0

    def __post_init__(self):
        """Check every field; a batch must be filled."""
        super().__post_init__()
        words = f"must be at most n_train = {self.n_train}"
        self.require(self.batch_size <= self.n_train, "batch_size", words)
        apart = self.photographs != self.judges
        self.require(apart, "judges", "other photographs than those to learn from")


class Restoration(Photographed, Deep):
    """What one training depends on, whatever is restored."""


class Shown(NamedTuple):
    """What a figure says of an experiment.

    Attributes:
        what: is restored, as claims name it.
        how: by which network, of what.
        given: what the network is given.
        published_ssim: on hardware (PRESS); its network and data: UNKNOWN.
    """

    what: str
    how: str
    given: str
    published_ssim: float


class RestorationSetting(DeepSetting, Photographed, Recipe):
    """What every experiment of restoration has to know."""

    learning_rate: Positive = 1e-3
    write_noise: Positive = 2.0
    n_seeds: Count = 3
    batch_size: Count = 16
    epochs: Count = 4

    def trainings(self) -> Mapping[str, Restoration]:
        """What one training depends on, before its rule is chosen."""
        raise NotImplementedError

    def shown(self) -> Shown:
        """What a figure says of it."""
        raise NotImplementedError


def defaults(config: RestorationSetting) -> Restoration:
    """What one training depends on."""
    return config.trainings()["network"]


class Patches(NamedTuple):
    """Photographs of a point in [0, 1], channels last.

    Attributes:
        train: to learn from.
        test: to be tested on.
        pictures: the middle of some test photographs, for the eye.
        provenance: of both sets.
    """

    train: np.ndarray
    test: np.ndarray
    pictures: np.ndarray
    provenance: str


class Cut(NamedTuple):
    """Photographs as bytes: those to learn from, and patches of the test."""

    learnt: tuple[np.ndarray, ...]
    test: np.ndarray
    pictures: np.ndarray
    provenance: str


@cache
def cut(photographs: str, judges: str, colours: str, side: int, n_test: int) -> Cut:
    """Photographs by the fields of `Photographed`, those of the test in patches.

    Test patches lie evenly over a grid of all test photographs; those that are even
    (`CONTRAST`) are left out.

    Raises:
        ValueError: if there are fewer than `n_test`, naming how many there are; or if
            neither set is at hand and the same photographs stand in for both.
    """
    learnt, judging = load_photographs(photographs), load_photographs(judges)
    if learnt.sha256 and learnt.sha256 == judging.sha256:
        raise ValueError(
            f"judges = {judges!r}: must be other photographs than {photographs!r}, but "
            f"the same stand in for both: put {_files(photographs, judges)} into the "
            "folder that EAPU_JAX_DATA names"
        )
    pictures, unseen = (_coloured(found, colours) for found in (learnt, judging))
    test = on_a_grid(unseen, side, side)
    test = test[(test / np.float32(255)).std((1, 2)).max(-1) > CONTRAST]
    if len(test) < n_test:
        raise ValueError(f"n_test = {n_test}: must be at most {len(test)} of {judges}")
    return Cut(
        pictures,
        test[np.linspace(0, len(test) - 1, n_test).astype(int)],
        np.stack([_middle(image) for image in unseen[:PICTURES]]),
        f"learnt: {learnt.provenance}; tested: {judging.provenance}",
    )


@cache
def patches(
    photographs: str, judges: str, colours: str, side: int, n_train: int, n_test: int
) -> Patches:
    """Patches by the fields of `Photographed`, see `cut`."""
    found = cut(photographs, judges, colours, side, n_test)
    return Patches(
        _floats(at_random(found.learnt, side, n_train, seed=0)),
        _floats(found.test),
        _floats(found.pictures),
        found.provenance,
    )


def require_photographs(config: Any) -> None:
    """Refuse what cannot be cut, before anything is traced or written.

    Raises:
        ValueError: see `cut`.
        DataError: see `experiments.data.photographs.load_photographs`.
    """
    names = ("photographs", "judges", "colours", "side", "n_test")
    cut(*(getattr(config, name) for name in names))


def _files(*names: str) -> str:
    return " and ".join(file for name in names for file in PHOTOGRAPHS[name].files)


def patches_of(point: Any) -> Patches:
    """The patches of a point."""
    names = ("photographs", "judges", "colours", "side", "n_train", "n_test")
    return patches(*(getattr(point, name) for name in names))


def _coloured(found: Any, colours: str) -> tuple[np.ndarray, ...]:
    if colours == "gray":
        return found.gray
    return tuple(np.broadcast_to(i, (*i.shape[:2], 3)) for i in found.images)


def _middle(image: np.ndarray) -> np.ndarray:
    row, column = ((side - PICTURE) // 2 for side in image.shape[:2])
    return image[row : row + PICTURE, column : column + PICTURE]


def _floats(images: np.ndarray) -> np.ndarray:
    return images.astype(np.float32) / 255


class Worse(NamedTuple):
    """How photographs are made worse, and how they go through a network.

    Attributes:
        degraded: `(key, originals)`: what enters the network, in [0, 1].
        shown: of that, what a reader would have without the network, the size of the
            originals: the bar to beat.
        into: of what was degraded, what the lines into the network carry.
        out: of outputs and of what is shown, the restored image, in [0, 1].
        border: pixels left out when images are judged.
    """

    degraded: Callable[[Any, Any], Any]
    shown: Callable[[Any], Any]
    into: Callable[[Any], Any] = lambda given: given
    out: Callable[[Any, Any], Any] = lambda outputs, shown: outputs
    border: int = 0


def task(worse: Worse) -> Task:
    """Originals out of degraded photographs, by the mean squared error.

    Targets are originals and what the input shows; scores are `psnr` (dB) and `ssim`
    of the output and, with `_input`, of the input, clipped and rounded to bytes.
    """

    def enter(key: Any, x: Any, y: Any, train: bool) -> tuple[Any, Any]:
        del y, train  # learnt and tested alike
        given = worse.degraded(key, x)
        return worse.into(given), (x, worse.shown(given))

    def loss(outputs: Any, y: Any) -> jax.Array:
        return jnp.mean(jnp.square(worse.out(outputs, y[1]) - y[0]))

    def score(outputs: Any, y: Any) -> dict[str, jax.Array]:
        found = {"": worse.out(outputs, y[1]), "_input": y[1]}
        return {
            name + of: jnp.mean(measure(_luma(as_bytes(x)), _luma(y[0]), worse.border))
            for of, x in found.items()
            for name, measure in (("psnr", psnr), ("ssim", ssim))
        }

    return Task(loss, score, enter)


def _luma(x: jax.Array) -> jax.Array:
    return studio_luma(x) if x.shape[-1] == 3 else x


def restore(
    point: Any, keys: Keys, network: nn.Module, worse: Worse
) -> dict[str, jax.Array]:
    """Train one network on one chip, test it, and let it restore some pictures.

    Returns:
        `psnr`, `ssim` on test patches after each epoch, beside those of the input,
        `psnr_input`, `ssim_input`; `loss` and `update_ratio` as of
        `experiments.deep.training.learn`; pictures `given`, `restored` after the last
        epoch (by exact products) and in `truth`, their luma.
    """
    found, learnt = patches_of(point), task(worse)
    none = (np.zeros(len(found.train)), np.zeros(len(found.test)))  # no labels
    data = Data(found.train, none[0], found.test, none[1])
    curves, kept = learn(point, keys, network, data, learnt)
    key = jr.fold_in(keys.seed, 3)  # the loop leaves 3 to 15
    pictures = jnp.asarray(found.pictures)
    x, (truth, given) = learnt.enter(key, pictures, None, False)
    variables = {"params": curves.params, **curves.collections}
    restored = worse.out(network.apply(variables, x), given)
    shown = {"given": given, "restored": restored, "truth": truth}
    return kept | {k: _luma(as_bytes(v))[..., 0] for k, v in shown.items()}
