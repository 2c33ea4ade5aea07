"""A chain of Boltzmann machines that learns digits in black and white, on a grid."""

from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax

from chipsweep import Keys
from experiments.data import load_images
from experiments.thermodynamic import denoising_small as small
from experiments.validate import (
    Checked,
    Count,
    Plural,
    Positive,
    Several,
    Width,
)
from thermo import denoising

PIXELS, SIDE = 64, 8
SHOWN = 10
LAYOUT = 0
"""Seed of the places of pixels on the grid: one chip, one layout."""
DIMS = {
    "distance": ("sweeps",),
    "image": ("shown", "pixel"),
}


class Chained(Checked):
    """What one chain on digits depends on.

    Attributes:
        n_steps: T, machines (structural).
        side: of the grid of spins, even, at least 8 (structural).
        updates: of each machine (structural).
        batch_size: images of one update (structural).
        training_sweeps: of free spins in an update; half as many of held ones
            (structural).
        learning_rate: of Adam, which falls to nothing as a cosine.
        sweeps: K of each machine in generation (structural).
        n_samples: that are generated (structural).
    """

    n_steps: Count = 4
    side: Width = 12
    updates: Count = 600
    batch_size: Count = 200
    training_sweeps: Plural = 20
    learning_rate: Positive = 0.02
    sweeps: Several[Count] = (5, 20, 80, 320)
    n_samples: Plural = 400

    def __post_init__(self):
        """Check every field; the pixels must find room."""
        super().__post_init__()
        self.require(self.side >= SIDE + 2, "side", f"must be at least {SIDE + 2}")
        self.require(self.side % 2 == 0, "side", "must be even: two colours")


@cache
def digits() -> tuple[np.ndarray, np.ndarray, str]:
    """Training and test images, -1 or 1, and where they are from."""
    images = load_images("digits")
    parts = (images.x_train, images.x_test)
    train, test = (
        np.where(x.reshape(len(x), -1) > 0.5, 1, -1).astype(np.float32) for x in parts
    )
    return train, test, images.provenance


@cache
def layout(side: int) -> denoising.Graph:
    """The grid with the pixels at random places, which come first."""
    places = np.random.default_rng(LAYOUT).permutation(side * side)[:PIXELS]
    return denoising.grid(side).order(np.sort(places))


def simulate(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """Train a chain on the digits, and let it generate.

    Returns:
        `distance` of samples from test images over that of independent pixels, by
        sweeps; `image`: some of the last.
    """
    del chip
    train, test = jax.lax.optimization_barrier(  # else the compiler multiplies them
        tuple(map(jnp.asarray, digits()[:2]))
    )
    graph = layout(int(point.side))
    to_train, to_make, to_mix = jr.split(keys.chip, 3)
    chain = _trained(to_train, train, graph, point)
    make = partial(denoising.generate, to_make, chain, graph, point.n_samples)
    made = jax.lax.map(lambda k: make(sweeps=k)[0], jnp.array(point.sweeps))
    chance = distance(_shuffled(to_mix, train)[: len(test)], test)
    apart = jax.lax.map(lambda one: distance(one, test), made)
    return {
        "distance": apart / chance,
        "image": made[-1, :SHOWN],
    }


def _shuffled(key: Any, images: jax.Array) -> jax.Array:
    """Images whose pixels are independent, each with its own mean."""
    return jr.permutation(key, images, axis=0, independent=True)


def distance(one: jax.Array, other: jax.Array) -> jax.Array:
    """Squared maximum mean discrepancy, unbiased; the kernel is exp(-flips / 8)."""

    def kernel(a, b):
        return jnp.exp((a @ b.T - a.shape[1]) / 16)

    def within(a):
        n = len(a)
        return (kernel(a, a).sum() - n) / (n * (n - 1))

    return within(one) + within(other) - 2 * kernel(one, other).mean()


def _trained(key: Any, train: jax.Array, graph: denoising.Graph, point: Any) -> Any:
    """A chain whose machines have learned to undo their steps of noise."""
    n = len(graph.colour)
    chain = denoising.untrained(point.n_steps, n, PIXELS)
    rule = optax.adam(optax.cosine_decay_schedule(point.learning_rate, point.updates))
    means = jnp.arctanh(jnp.clip(train.mean(0), -0.95, 0.95))
    left = jnp.cumprod(jnp.concatenate([jnp.ones(1), chain.retention]))[:-1]
    bias = chain.bias.at[:, :PIXELS].set(means[None, :] * left[:, None])
    params = chain.coupling, bias

    def step(carry, i):
        params, state = carry
        now = small.with_parameters(chain, params[0], params[1])
        slopes = _slopes(jr.fold_in(key, i), now, train, graph, point)
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam is not strict
            updates, state = rule.update(tuple(slopes), state)
        moved: Any = optax.apply_updates(params, updates)
        return (moved, state), None

    start = params, rule.init(params)
    order = jnp.arange(point.updates, dtype=jnp.uint32)
    (params, _), _ = jax.lax.scan(step, start, order)
    return small.with_parameters(chain, *params)


def _slopes(key, chain, train, graph, point):
    """Of every machine, from the same images and their noise."""
    to_choose, to_noise, to_start, to_hold, to_free = jr.split(key, 5)
    chosen = jr.choice(to_choose, len(train), (point.batch_size,), replace=False)
    path = denoising.noised(to_noise, chain, train[chosen])
    hidden = point.batch_size, chain.n_spins - PIXELS

    def one(t):
        z = jr.rademacher(jr.fold_in(to_start, t), hidden, path.dtype)
        machine, field = chain.machine(t), chain.field(t, path[t + 1])
        held = denoising.gibbs(
            jr.fold_in(to_hold, t), machine, graph, jnp.concatenate([path[t], z], -1),
            sweeps=point.training_sweeps // 2, n_held=PIXELS,
        )  # fmt: skip
        free = denoising.gibbs(
            jr.fold_in(to_free, t), machine, graph,
            jnp.concatenate([path[t + 1], z], -1),
            sweeps=point.training_sweeps, field=field,
        )  # fmt: skip
        return denoising.slope(graph, held, free)

    return jax.lax.map(one, jnp.arange(chain.n_steps, dtype=jnp.uint32))
