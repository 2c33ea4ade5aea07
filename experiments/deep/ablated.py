"""One transformer that learns by EaPU with something added: what `ablations` simulates.

Each variant has a threshold that is `strength` times its usual one, so that each has a
curve of loss against writes.
"""

from collections.abc import Callable
from typing import Annotated, Any

import jax
import optax

import eapu_jax as ej
from chipsweep import Keys
from experiments.contract import base_of
from experiments.deep.text import Speaking, learn_text, shapes
from experiments.learning.recipe import Recipe
from experiments.learning.rules import Bench, Make
from experiments.validate import one_of

SPAN = 4.0
"""By how much a threshold falls or rises over a training. ASSUMED."""


def _residual(bits: int) -> Callable[[Any], Make]:
    def of(point: Any) -> Make:
        del point
        return lambda on: ej.eapu_residual(on.step, bits, key=on.key, place=on.place)

    return of


def _plain(point: Any) -> Make:
    del point
    return lambda on: ej.eapu(on.step, key=on.key, place=on.place)


def _scheduled(power: float) -> Callable[[Any], Make]:
    """The threshold moves by `SPAN` ** power, evenly in its logarithm."""

    def of(point: Any) -> Make:
        steps = point.epochs * base_of(Recipe, point).steps_per_epoch(point.n_train)

        def make(on: Bench) -> optax.GradientTransformation:
            def now(step: jax.Array) -> jax.Array:
                return on.step * SPAN ** (power * (step / steps - 0.5))

            def gate(threshold: Any) -> optax.GradientTransformation:
                return ej.eapu(threshold, key=on.key, place=on.place)

            return optax.inject_hyperparams(gate)(threshold=now)

        return make

    return of


def _own(point: Any) -> Make:
    """Each layer's threshold is the error of a write on its own arrays."""
    params = shapes(point)

    def make(on: Bench) -> optax.GradientTransformation:
        def of_layer(leaf: Any) -> Any:
            wide = leaf.shape[0] / point.width if len(leaf.shape) == 2 else 1.0
            return on.step / wide**0.5

        thresholds = jax.tree.map(of_layer, params)
        return ej.eapu(thresholds, key=on.key, place=on.place)

    return make


VARIANTS: dict[str, Callable[[Any], Make]] = {
    "plain": _plain,
    "residual_1": _residual(1),
    "residual_3": _residual(3),
    "falling": _scheduled(-1.0),
    "rising": _scheduled(1.0),
    "one_for_all": _plain,
    "own": _own,
}
"""EaPU; with a digital residual of so many bits; with a threshold that moves; and on
arrays that are scaled to the width of their layer, where errors of writes differ
between layers: with one threshold for all, and with each layer's own."""
SCALED = ("one_for_all", "own")
"""Variants on arrays of the second kind."""


class Varied(Speaking):
    """What the training by one variant depends on.

    Attributes:
        variant: of EaPU, see `VARIANTS`.
    """

    variant: Annotated[str, one_of(*VARIANTS)] = "plain"


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one transformer by one variant of EaPU.

    Returns:
        As `experiments.deep.text.simulate`.
    """
    del chip
    own, arrays = {"eapu": VARIANTS[point.variant](point)}, None
    if point.variant in SCALED:
        arrays = _width_aware(point)
    curves, found = learn_text(point, keys, own=own, arrays=arrays)
    return found | ({"layer_ratio": curves.update_ratio} if trace else {})


def _width_aware(point: Any) -> ej.Crossbar:
    """R_wg is the usual one for as many inputs as the blocks are wide."""
    scale = ej.WidthAwareRange(window=1 / point.r_wg, omega=point.width**0.5)
    return ej.Crossbar(
        device=ej.AdditiveError(write_noise=point.write_noise), r_wg=scale
    )
