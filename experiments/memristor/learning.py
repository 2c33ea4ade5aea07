"""One chip that learns: what the memristor figures share, and what a sweep maps.

A figure asks few chips at chosen points; a sweep asks thousands anywhere. Both
train the same: `Training` says how, `learn` does it, `one_chip` counts it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from eapu_jax.placement import on_array
from experiments.memristor.setting import (
    PUBLIC_R_WG,
    DataSet,
    images,
    require_images,
)
from experiments.networks import Network, cnn, mlp
from experiments.training import (
    INPUTS,
    OPTIMIZERS,
    RULES,
    SCHEDULES,
    Curves,
    Data,
    Observer,
    Recipe,
    first_weights,
    prepare,
    see_nothing,
    train,
)
from experiments.validate import (
    Count,
    NonNegative,
    Positive,
    Several,
    Width,
    check,
    one_of,
    refuse_unless,
)


@dataclass(frozen=True, kw_only=True)
class Training:
    """What one training depends on; any number may be swept.

    What decides the program is compiled value by value: texts and tuples always,
    whole numbers where they are declared structural.

    Attributes:
        rule: what becomes of an update, see `experiments.training.hardware`.
        write_noise: SD(eps_cell), uS.
        threshold: dW_th / R_wg, uS; as large as `write_noise` when None.
        r_wg: weight per conductance, 1/uS.
        learning_rate: at the start.
        optimizer: "adam" or "sgd".
        schedule: of the learning rate: "constant", "drop" or "cosine".
        channels: of strided 3x3 convolutions before the dense layers; none: an MLP.
        hidden: widths of the hidden dense layers.
        inputs: how pixels enter, "standardised" or "bipolar".
        pool: images are shrunk by this factor (structural).
        epochs: passes over the training images (structural).
        batch_size: images per step (structural).
        data: data set, see `experiments.data`.
        n_train: training images (structural).
        n_test: test images (structural).
    """

    rule: Annotated[str, one_of(*RULES)] = "eapu"
    write_noise: NonNegative = 2.0
    threshold: Positive | None = None
    r_wg: Positive = PUBLIC_R_WG
    learning_rate: Positive = 1e-3
    optimizer: Annotated[str, one_of(*OPTIMIZERS)] = "adam"
    schedule: Annotated[str, one_of(*SCHEDULES)] = "drop"
    channels: tuple[Width, ...] = ()
    hidden: Several[Width] = (128,)
    inputs: Annotated[str, one_of(*INPUTS)] = "standardised"
    pool: Width = 1
    epochs: Count = 8
    batch_size: Count = 64
    data: DataSet = "mnist5k"
    n_train: Count = 4000
    n_test: Count = 1000

    def __post_init__(self):
        """Check every field; the images must be there, and fill a batch."""
        check(self)
        require_images(self, self.data)
        one_layer = not self.channels or len(self.hidden) == 1
        refuse_unless(one_layer, self, "hidden", "one width behind convolutions")

    @property
    def recipe(self) -> Recipe:
        """How long, how fast and with which optimizer."""
        return recipe(self, self.learning_rate)


def recipe(point: Any, learning_rate: float = 1.0) -> Recipe:
    """The recipe of a point; its own learning rate may be traced, this one may not."""
    return Recipe(
        epochs=point.epochs,
        batch_size=point.batch_size,
        optimizer=point.optimizer,
        schedule=point.schedule,
        learning_rate=learning_rate,
    )


def network(point: Any, classes: int) -> Network:
    """The network of a point."""
    if point.channels:
        (hidden,) = point.hidden
        return cnn(point.channels, hidden, classes)
    return mlp((*point.hidden, classes))


def prepared(point: Any) -> tuple[Data, int]:
    """The images of a point as they enter the array, and the number of classes."""
    found = images(point.data, point.n_train, point.n_test)
    return prepare(found, point.pool, point.inputs), found.n_classes


def learn(
    point: Any,
    chip: Int[Array, ""] | int,
    key: Key[Array, ""],
    trace: bool = False,
    *,
    data: Data | None = None,
    params: Any = None,
    observe: Observer = see_nothing,
) -> tuple[Curves, dict[str, Any]]:
    """Train chip number `chip`: all that is known of it, and what a sweep keeps.

    Args:
        point: fields of `Training`; numbers that are not structural may be traced.
        chip: index; the dice and the write errors follow from it and `key`.
        key: also of the starting weights and the order of the images. Chips that
            share it differ by their physics alone, as in the figures; the engine
            gives each chip a key of its own.
        trace: see `one_chip`.
        data: other images than those of the point.
        params: other starting weights than those of `key`.
        observe: see `experiments.training.train`.
    """
    of_point, classes = prepared(point)
    data, net = data or of_point, network(point, classes)
    if params is None:
        params = first_weights(key, net, data)

    def see(requested, applied, *scales):
        made = _flat(applied) if trace else None
        return observe(requested, applied, *scales), made

    curves = train(
        key,
        net,
        data,
        recipe(point),
        point.rule,
        chip=chip,
        write_noise=point.write_noise,
        threshold=point.write_noise if point.threshold is None else point.threshold,
        r_wg=point.r_wg,
        params=params,
        rates=point.learning_rate * recipe(point).rates(len(data.x_train)),
        observe=see,
    )
    seen, changes = curves.observed
    found = _counted(curves)
    if trace:
        start = _flat(on_array(params).values())
        found |= _trajectory(start, changes, point.r_wg)
    return curves._replace(observed=seen), found


def one_chip(
    point: Any, chip: Int[Array, ""] | int, key: Key[Array, ""], trace: bool = False
) -> dict[str, Any]:
    """Train chip number `chip`, test it, count its writes.

    Args:
        point: fields of `Training`.
        chip: index, see `learn`.
        key: all dice, see `learn`.
        trace: also return every step's weights, conductances and writes.

    Returns:
        `accuracy` after each epoch, `final` accuracy, `update_ratio`: fraction of
        the cells written per step, over the whole training.
    """
    return learn(point, chip, key, trace)[1]


def _counted(curves: Curves) -> dict[str, Any]:
    """Of the ideal rule, which writes no device, the update ratio is 0."""
    cells = sum(n.size for n in curves.writes)
    total = sum((jnp.sum(n, dtype=jnp.float32) for n in curves.writes), jnp.zeros(()))
    return {
        "accuracy": curves.test_accuracy,
        "final": curves.test_accuracy[-1],
        "update_ratio": total / max(cells * len(curves.loss), 1),
    }


def _flat(leaves: Iterable[jax.Array]) -> Float[Array, " cells"]:
    return jnp.concatenate([x.ravel() for x in leaves])


def _trajectory(
    start: Float[Array, " cells"], changes: Float[Array, "steps cells"], r_wg: Any
) -> dict[str, Any]:
    """Weights, conductances (uS) and writes of all array layers after every step.

    Added up from the changes, so within a rounding per step.
    """

    def move(weights, change):
        return weights + change, weights + change

    _, weights = jax.lax.scan(move, start, changes)
    writes = jnp.cumsum((changes != 0).astype(jnp.int32), 0)
    return {"weights": weights, "conductances": weights / r_wg, "writes": writes}
