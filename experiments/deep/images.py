"""Deep networks that name images: what one training depends on, and how it runs."""

from typing import Annotated, Any

import jax

from chipsweep import Keys
from experiments.deep.training import Deep, learn
from experiments.learning.augment import moved
from experiments.learning.curves import Curves
from experiments.learning.inputs import Data, prepare
from experiments.learning.networks import basic_resnet, bottleneck_resnet
from experiments.learning.task import CLASSIFY, Task
from experiments.memristor.images import Lesson, images
from experiments.validate import Several, Width, one_of

BLOCKS = {"basic": basic_resnet, "bottleneck": bottleneck_resnet}
AUGMENTATIONS = ("none", "crop_and_flip")


class ImagesAndNet(Lesson):
    """Which images, and which residual network.

    Attributes:
        block: "basic" (two 3x3 convolutions) or "bottleneck" (1x1, 3x3, 1x1).
        depths: blocks of each stage.
        widths: channels of each stage.
        pool: images are shrunk by this factor (structural).
        augmentation: "none", or "crop_and_flip": of each image a random crop, padded
            by 4, and a horizontal flip of every second one; not for digits.
    """

    block: Annotated[str, one_of(*BLOCKS)] = "basic"
    depths: Several[Width] = (1, 1, 1)
    widths: Several[Width] = (16, 32, 64)
    pool: Width = 2
    augmentation: Annotated[str, one_of(*AUGMENTATIONS)] = "none"

    @property
    def layers(self) -> int:
        """Convolutions in a row and the dense layer: what a network is called by."""
        return sum(self.depths) * {"basic": 2, "bottleneck": 3}[self.block] + 2

    def __post_init__(self):
        """Check every field; every stage has a depth and a width."""
        super().__post_init__()
        alike = len(self.depths) == len(self.widths)
        self.require(alike, "widths", f"one for each of the {len(self.depths)} stages")


class Residual(ImagesAndNet, Deep):
    """What the training of one residual network depends on; numbers may be swept."""


DIMS = {"accuracy": ("epoch",), "loss": ("epoch",)}


def network(point: Any):
    """The network of a point."""
    classes = images(point.data, point.n_train, point.n_test).n_classes
    return BLOCKS[point.block](point.depths, point.widths, classes)


def prepared(point: Any) -> Data:
    """The images of a point as they enter the array."""
    return prepare(images(point.data, point.n_train, point.n_test), point.pool)


def require_sides(config: Any, unit: int, name: str, enlarge: int = 1) -> None:
    """Refuse, by its field, what does not go into the images of a config.

    Args:
        config: with images.
        unit: must divide both sides of the images.
        name: of the field that decides `unit`.
        enlarge: how often every pixel is repeated along both sides.

    Raises:
        ValueError: if it does not: another data set, or the stand-in for one that is
            not at hand, may have other sides.
    """
    lesson = config.images()
    h, w, _ = lesson.x_train.shape[1:]
    fits = h * enlarge % unit == 0 and w * enlarge % unit == 0
    sides = f"{h * enlarge} x {w * enlarge} ({lesson.provenance})"
    config.require(fits, name, f"{unit} must divide the sides of the images, {sides}")


def task(point: Any) -> Task:
    """Labels, of images that are augmented as the point says."""
    if point.augmentation == "none":
        return CLASSIFY

    def enter(key: jax.Array, x: Any, y: Any, train: bool) -> tuple[Any, Any]:
        return (moved(key, x) if train else x), y

    return CLASSIFY._replace(enter=enter)


def learn_images(point: Any, keys: Keys, **other: Any) -> tuple[Curves, dict[str, Any]]:
    """As `experiments.deep.training.learn`; the score is the test `accuracy`."""
    curves, found = learn(
        point, keys, network(point), prepared(point), task(point), **other
    )
    found["accuracy"] = found.pop("score")
    return curves, found | {"final": found["accuracy"][-1]}


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one residual network on one chip, test it, count its writes.

    Returns:
        `accuracy` on the test images and mean `loss` of each epoch, `final` accuracy,
        `update_ratio` over the whole training. If traced also `layer_ratio`: the
        fraction of the cells of each layer written at each step.
    """
    del chip
    curves, found = learn_images(point, keys)
    return found | ({"layer_ratio": curves.update_ratio} if trace else {})
