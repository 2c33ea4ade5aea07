"""One training on devices of few states, under a rule with its public numbers."""

from typing import Annotated, Any

import jax
import jax.numpy as jnp
import jax.random as jr
from flax import linen as nn

import eapu_jax as ej
from chipsweep import Keys
from experiments.contract import base_of
from experiments.learning.inputs import Data, prepare
from experiments.learning.loop import train
from experiments.learning.networks import lenet, sigmoid_mlp
from experiments.learning.recipe import Recipe
from experiments.learning.rules import RULES
from experiments.memristor.images import Lesson, images
from experiments.memristor.limited_rules import published
from experiments.validate import NonNegative, Plural, Positive, Several, Width, one_of

DIMS = {"accuracy": ("epoch",)}
SETTINGS = ("lenet", "fcn")


class Limited(Lesson, Recipe):
    """What one training depends on.

    Attributes:
        setting: whose numbers the rules have, "lenet" or "fcn".
        rule: what becomes of an update, see `experiments.learning.rules`.
        states: steps of a device from one end to the other.
        tau: the weight at the end of the window.
        noise: standard deviation of a pulse, in pulses.
        learning_rate: at the start.
        tiles: of multi-tile residual learning (structural).
        channels: of 5x5 convolutions before the dense layers; none: a sigmoid MLP.
        hidden: widths of the hidden dense layers.
        pool: images are shrunk by this factor (structural).
    """

    setting: Annotated[str, one_of(*SETTINGS)] = "lenet"
    rule: Annotated[str, one_of(*RULES)] = "multi_tile"
    states: Plural = 4
    tau: Positive = 1.0
    noise: NonNegative = 0.3
    learning_rate: Positive = 0.05
    tiles: Plural = 7
    channels: tuple[Width, ...] = ()
    hidden: Several[Width] = (128,)
    pool: Width = 1

    def __post_init__(self):
        """Check every field, and the network."""
        super().__post_init__()
        one_layer = not self.channels or len(self.hidden) == 1
        self.require(one_layer, "hidden", "one width behind convolutions")


def crossbar(point: Any) -> ej.Crossbar:
    """Soft bounds of so many states, 2 tau apart; both directions alike in the middle.

    The window is 80 µS to either side (ASSUMED; only ratios matter).
    """
    pulse = 160 / point.states
    device = ej.SoftBounds(
        g_min=-80.0, g_max=80.0, pulse=pulse, write_noise=point.noise * pulse
    )
    return ej.Crossbar(device=device, r_wg=point.tau / 80)


def network(point: Any) -> nn.Module:
    """The network of a point."""
    if point.channels:
        (hidden,) = point.hidden
        return lenet(point.channels, hidden)
    return sigmoid_mlp((*point.hidden, 10))


def prepared(point: Any) -> Data:
    """The images of a point, black 0 and white 1 (STATED)."""
    return prepare(images(point.data, point.n_train, point.n_test), point.pool, "unit")


def layers(point: Any) -> dict[str, tuple[int, int]]:
    """Inputs of every layer, and vectors that enter it in one step."""
    found = {}

    def see(call, args, kwargs, context):
        if isinstance(context.module, nn.Dense):
            *vectors, inputs = args[0].shape
            found[context.module.name] = inputs, int(jnp.prod(jnp.array(vectors)))
        return call(*args, **kwargs)

    shape = (point.batch_size, *prepared(point).x_train.shape[1:])
    with nn.intercept_methods(see), jax.ensure_compile_time_eval():
        x = jax.ShapeDtypeStruct(shape, jnp.float32)
        jax.eval_shape(network(point).init, jr.key(0), x)
    return found


def simulate(point: Any, chip: Any, keys: Keys, trace: bool = False) -> dict[str, Any]:
    """Train one chip as `Limited` says.

    Returns:
        `accuracy` after each epoch, `final` accuracy, `pulses` per weight of all its
        arrays, `words`: digital numbers per weight. If traced also `weights`, of all
        matrices after every step.
    """
    del chip
    curves = train(
        keys,
        network(point),
        prepared(point),
        base_of(Recipe, point),
        point.rule,
        learning_rate=point.learning_rate,
        crossbar=crossbar(point),
        threshold=2 * point.tau / point.states,
        observe=(lambda step: step.weights) if trace else None,
        own=published(point, layers(point)),
    )
    kernels = [w for w in jax.tree.leaves(curves.params) if w.ndim > 1]
    weights = sum(w.size for w in kernels)
    found = {
        "accuracy": curves.score,
        "final": curves.score[-1],
        "pulses": (curves.counts.up + curves.counts.down) / weights,
        "words": jnp.float32(curves.counts.words),
    }
    if trace:
        steps = [w.reshape(len(w), -1) for w in curves.observed]
        found["weights"] = jnp.concatenate(steps, 1)
    return found
