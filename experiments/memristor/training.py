"""One chip that learns: what every memristor experiment simulates."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
from flax import linen as nn

import eapu_jax as ej
from chipsweep import Keys
from eapu_jax.placement import Place
from experiments.contract import base_of
from experiments.data import Images
from experiments.learning.curves import Curves, Observer
from experiments.learning.forward import PRODUCTS
from experiments.learning.inputs import INPUTS, Data, prepare
from experiments.learning.loop import first_weights, train
from experiments.learning.networks import cnn, mlp
from experiments.learning.recipe import Recipe
from experiments.learning.rules import RULES, Make, adapted
from experiments.memristor.arrays import (
    CrossbarName,
    crossbar_named,
    spread_named,
    state,
)
from experiments.memristor.images import Lesson, images
from experiments.validate import (
    Checked,
    CountOrZero,
    NonNegative,
    Positive,
    Several,
    Width,
    one_of,
)

PUBLIC_R_WG = 1 / 80
"""Weight per conductance of the authors' public commands, 1/µS (STATED)."""

DIMS = {"accuracy": ("epoch",)}


class Writing(Checked):
    """What one write depends on.

    Attributes:
        crossbar: "additive" (cells without bounds that err by `write_noise`, at
            `r_wg`), a name of `eapu_jax.presets`, or the file of a device, *.toml
            (`eapu_jax.save_device`): with an encoding, a scale, a spread of its own.
        write_noise: SD(ε_cell), µS.
        threshold: ΔW_th / R_wg, µS; when None as large as the error of a write, which
            is `write_noise`, or measured on the device of a preset.
        r_wg: weight per conductance, 1/µS.
    """

    crossbar: CrossbarName = "additive"
    write_noise: NonNegative = 2.0
    threshold: Positive | None = None
    r_wg: Positive = PUBLIC_R_WG


class Training(Lesson, Recipe, Writing):
    """What one training depends on; any number may be swept.

    What decides the program is compiled value by value: texts and tuples always,
    whole numbers where they are declared structural.

    Attributes:
        rule: what becomes of an update, see `experiments.learning.rules`.
        strength: the rule's own number in units of its usual value, see there.
        learning_rate: at the start.
        products: "exact", or through the "array", see `experiments.learning.forward`.
        digital: layers that are kept digital, in the order of the network from 0 on.
        channels: of strided 3x3 convolutions before the dense layers; none: an MLP.
        hidden: widths of the hidden dense layers.
        inputs: how pixels enter, "standardised" or "bipolar".
        pool: images are shrunk by this factor (structural).
    """

    rule: Annotated[str, one_of(*RULES)] = "eapu"
    strength: Positive = 1.0
    learning_rate: Positive = 1e-3
    products: Annotated[str, one_of(*PRODUCTS)] = "exact"
    digital: tuple[CountOrZero, ...] = ()
    channels: tuple[Width, ...] = ()
    hidden: Several[Width] = (128,)
    inputs: Annotated[str, one_of(*INPUTS)] = "standardised"
    pool: Width = 1

    def __post_init__(self):
        """Check every field, and the network."""
        super().__post_init__()
        one_layer = not self.channels or len(self.hidden) == 1
        self.require(one_layer, "hidden", "one width behind convolutions")
        layers = len(self.channels) + len(self.hidden) + 1
        known = all(layer < layers for layer in self.digital)
        self.require(known, "digital", f"layers from 0 to {layers - 1}")


def crossbar(point: Any) -> ej.Crossbar:
    """The array of a point, before any chip strays from it."""
    if point.crossbar != "additive":
        return crossbar_named(point.crossbar)
    return ej.Crossbar(
        device=ej.AdditiveError(write_noise=point.write_noise), r_wg=point.r_wg
    )


def thresholds(point: Any) -> tuple[Any, Any]:
    """ΔW_th, and the SD of a write error that it should equal, in weight units."""
    r_wg: Any = crossbar(point).r_wg
    if point.crossbar == "additive":
        error = point.write_noise * r_wg
    else:
        error = _error(point.crossbar, state(point.crossbar))
    return error if point.threshold is None else point.threshold * r_wg, error


@cache
def _error(name: str, now: tuple[int, int] | None) -> float:
    """The error of a write on a device at 0, in weight units."""
    del now
    chip: Any = crossbar_named(name)
    with jax.ensure_compile_time_eval():
        cells = chip.encoding.to_cells(jnp.zeros((1, 1)), chip.fixed_scale)
        g = float(jnp.mean(cells))
        return float(ej.matched_threshold(jr.key(0), chip, g=g))


def place(point: Any) -> Place | None:
    """Which leaves live on arrays: the matrices of all layers that are not digital."""
    if not point.digital:
        return None
    kept = {f"Dense_{layer}" for layer in point.digital}

    def chosen(path: str, shape: tuple[int, ...]) -> str:
        if path.partition("/")[0] in kept:
            return "digital: its layer is"
        return ej.place(path, shape)

    return chosen


def network(point: Any) -> nn.Module:
    """The network of a point."""
    classes = _images(point).n_classes
    if point.channels:
        (hidden,) = point.hidden
        return cnn(point.channels, hidden, classes)
    return mlp((*point.hidden, classes))


def prepared(point: Any) -> Data:
    """The images of a point as they enter the array."""
    return prepare(_images(point), point.pool, point.inputs)


def _images(point: Any) -> Images:
    return images(point.data, point.n_train, point.n_test)


def learn(
    point: Any,
    keys: Keys,
    trace: bool = False,
    *,
    data: Data | None = None,
    params: Any = None,
    arrays: Any = None,
    threshold: Any = None,
    own: Mapping[str, Make] | None = None,
    observe: Observer | None = None,
    optimizer: optax.GradientTransformationExtraArgs | None = None,
) -> tuple[Curves, dict[str, Any]]:
    """Train one chip: all that is known of it, and what a sweep keeps.

    Args:
        point: fields of `Training`; numbers that are not structural may be traced.
        keys: see `experiments.learning.loop.train`.
        trace: see `simulate`.
        data: other images than those of the point.
        params: other starting weights than those of the seed.
        arrays: crossbars of this chip; when None all are `crossbar(point)`, or drawn
            as the device's file says that chips stray.
        threshold: ΔW_th, weight units; that of the point when None.
        own: rules with other numbers than the usual, see
            `experiments.learning.rules.hardware`.
        observe: see `experiments.learning.loop.train`.
        optimizer: see there.
    """
    threshold = thresholds(point)[0] if threshold is None else threshold
    data = data or prepared(point)
    if arrays is None:
        arrays = _drawn(point, keys, data, params)

    def see(step):
        kept = (step.weights, step.writes) if trace else None
        return observe and observe(step), kept

    curves = train(
        keys,
        network(point),
        data,
        base_of(Recipe, point),
        point.rule,
        learning_rate=point.learning_rate,
        crossbar=arrays,
        threshold=threshold,
        strength=point.strength,
        products=point.products,
        place=place(point),
        params=params,
        observe=see,
        own=own,
        optimizer=optimizer,
    )
    seen, steps = curves.observed
    writes = [jnp.sum(n, dtype=jnp.float32) for n in curves.writes]
    cells = max(sum(n.size for n in curves.writes), 1)  # of none, none is written
    mean = sum(writes, jnp.zeros(())) / cells
    found = {
        "accuracy": curves.score,
        "final": curves.score[-1],
        "update_ratio": mean / len(curves.loss),
    }
    if trace:
        weights, writes = (
            jnp.concatenate([x.reshape(len(x), -1) for x in layers], 1)
            for layers in steps
        )
        r_wg: Any = crossbar(point).r_wg
        found |= {"weights": weights, "conductances": weights / r_wg, "writes": writes}
    return curves._replace(observed=seen), found


def _drawn(point: Any, keys: Keys, data: Data, params: Any) -> Any:
    """The crossbars of one chip, which strays if its device does."""
    nominal, spread = crossbar(point), spread_named(point.crossbar)
    if spread is None:
        return nominal
    if params is None:
        params = first_weights(keys.seed, network(point), data)
    key = jr.fold_in(keys.chip, 4)  # the loop has 0 to 3
    params = adapted(jr.fold_in(keys.seed, 2), point.rule, params)
    return ej.sample_chip(key, 0, nominal, params, spread, place=place(point))


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one chip as `Training` says, test it, count its writes.

    Starting weights and the order of the images are those of the seed.

    Returns:
        `accuracy` after each epoch, `final` accuracy, `update_ratio`: fraction of
        the cells written per step, over the whole training (0 for the ideal rule).
        If traced also `weights`, `conductances` (weight / R_wg, µS) and `writes` of
        all array layers after every step.
    """
    del chip
    return learn(point, keys, trace)[1]
