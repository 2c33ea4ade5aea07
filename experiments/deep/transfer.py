"""Classes to pre-train on, others to fine-tune on, and the network between the two."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
from flax import linen as nn

from chipsweep import Keys
from experiments.deep.images import AUGMENTATIONS
from experiments.deep.training import Deep
from experiments.learning.augment import moved
from experiments.learning.forward import first_variables
from experiments.learning.inputs import Data, prepare
from experiments.learning.loop import train
from experiments.learning.networks import swin
from experiments.learning.recipe import Recipe
from experiments.learning.task import CLASSIFY, Task
from experiments.memristor.images import Lesson, images
from experiments.validate import Count, Positive, Several, Width, one_of


class Transfer(Lesson):
    """Which images, which Swin transformer, and its training before the arrays.

    Attributes:
        patch: side of a tile of the image, pixels.
        window: side of a window, tiles.
        width: of the first stage.
        depths: blocks of each stage.
        heads: of each stage; must divide its width.
        enlarge: every pixel is repeated that often along both sides (structural).
        augmentation: as of `experiments.deep.images.ImagesAndNet`, before `enlarge`.
        pretraining_rate: learning rate of the noiseless training on other classes, by
            Adam and dropping to a tenth.
        pretraining_epochs: its length (structural).
    """

    parts = 2
    patch: Width = 7
    window: Width = 2
    width: Width = 32
    depths: Several[Width] = (2, 2)
    heads: Several[Width] = (2, 4)
    enlarge: Width = 1
    augmentation: Annotated[str, one_of(*AUGMENTATIONS)] = "none"
    pretraining_rate: Positive = 1e-3
    pretraining_epochs: Count = 8

    @property
    def unit(self) -> int:
        """Sides of the enlarged images are multiples of it."""
        return self.patch * self.window * 2 ** (len(self.depths) - 1)

    def __post_init__(self):
        """Check every field; every stage has heads, which share its width."""
        super().__post_init__()
        alike = len(self.depths) == len(self.heads)
        self.require(alike, "heads", f"one for each of the {len(self.depths)} stages")
        self.require(self.window > 1, "window", "must be at least 2")
        for stage, heads in enumerate(self.heads):
            width = self.width * 2**stage
            words = f"{heads} must divide {width}, the width of stage {stage + 1}"
            self.require(width % heads == 0, "heads", words)


class Tuned(Transfer, Deep):
    """What pre-training and fine-tuning depend on; numbers may be swept."""


def halves(data: Data) -> tuple[Data, Data]:
    """The images of the first half of the classes, and those of the others.

    Both are labelled from 0 on.

    Example:
        >>> x, y = np.zeros((4, 1, 1, 1)), np.arange(4)
        >>> [half.y_train.tolist() for half in halves(Data(x, y, x, y))]
        [[0, 1], [0, 1]]
    """
    middle = (int(data.y_train.max()) + 1) // 2

    def of(first: bool) -> Data:
        train, test = ((y < middle) == first for y in (data.y_train, data.y_test))
        less = 0 if first else middle
        return Data(
            data.x_train[train],
            data.y_train[train] - less,
            data.x_test[test],
            data.y_test[test] - less,
        )

    return of(True), of(False)


def prepared(point: Any) -> tuple[Data, Data]:
    """The images to pre-train on, and those to fine-tune on."""
    return halves(prepare(images(point.data, point.n_train, point.n_test)))


def network(point: Any, classes: int) -> nn.Module:
    """The network of a point; dropped paths are those of Swin-T (STATED)."""
    return swin(
        classes,
        patch=point.patch,
        window=point.window,
        width=point.width,
        depths=point.depths,
        heads=point.heads,
    )


def classes(data: Data) -> int:
    """How many there are."""
    return int(np.max(data.y_train)) + 1


def task(point: Any) -> Task:
    """Labels, of images that are augmented and enlarged as the point says."""

    def enter(key: jax.Array, x: Any, y: Any, train: bool) -> tuple[Any, Any]:
        x = moved(key, x) if train and point.augmentation != "none" else x
        for axis in (1, 2):
            x = jnp.repeat(x, point.enlarge, axis)
        return x, y

    return CLASSIFY._replace(enter=enter)


def pretrained(point: Any, keys: Keys) -> tuple[Any, jax.Array]:
    """Weights after a noiseless training on other classes, under a new head.

    They are the same for all chips of a seed.

    Returns:
        The weights, and the test accuracy on the classes that they have learnt.
    """
    before, after = prepared(point)
    first = keys._replace(seed=jr.fold_in(keys.seed, 3))
    recipe = Recipe(epochs=point.pretraining_epochs, batch_size=point.batch_size)
    learnt = train(
        first,
        network(point, classes(before)),
        before,
        recipe,
        "ideal",
        task=task(point),
        learning_rate=point.pretraining_rate,
        test_at_once=point.test_at_once or None,
    )
    x, _ = task(point).enter(keys.seed, jnp.asarray(after.x_train[:1]), None, False)
    key, whole = jr.fold_in(keys.seed, 0), network(point, classes(after))
    head = first_variables(key, whole, x)[0]["head"]
    return learnt.params | {"head": head}, learnt.score[-1]
