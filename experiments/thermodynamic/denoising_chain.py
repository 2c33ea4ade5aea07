"""Chains of Boltzmann machines that undo noise, beside one machine for all of it.

Twice: with ten spins, where the law of what is generated is known exactly, and with 144
spins on a sparse grid, on digits of 8 x 8 pixels in black and white.
"""

from collections.abc import Mapping
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import xarray as xr

from chipsweep import Keys, Structural
from experiments.claims import Claim, above, judged, not_attempted
from experiments.contract import Seeded, Sweep, base_of, listed
from experiments.data import load_images
from experiments.thermodynamic import denoising_small as small
from experiments.thermodynamic.denoising_chain_figure import plot as plot
from experiments.validate import (
    Ascending,
    Checked,
    Count,
    Plural,
    Positive,
    Several,
    Width,
)
from thermo import denoising
from thermo.denoising.price import LEFT_OUT

REPRODUCES = "DTM: a denoising chain of Boltzmann machines beside a monolithic one"
PIXELS, SIDE = 64, 8
DIMS = {
    "distance": ("sweeps",),
    "image": ("shown", "pixel"),
}
SMALL_DIMS = {"divergence": ("sweeps",)}
SHOWN = 10
LAYOUT = 0
"""Seed of the places of pixels on the grid: one chip, one layout."""
REPLICA = "authors' replication of the DTM (FID on Fashion-MNIST, 70 x 70)"
SOURCE = "DTM paper, abstract (second hand)"


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


class Config(Seeded):
    """Chains of several lengths, on few spins and on digits.

    Attributes:
        steps: T, machines of a chain; 1 is the monolithic one.
        side: of the grid of spins for digits.
        updates: of each machine on digits.
        training_sweeps: of free spins in an update.
        sweeps: K of each machine in generation on digits, ascending.
        n_samples: that are generated.
        small_updates: of each machine of few spins.
        large_hidden: hidden spins of one more monolithic machine of few spins.
        n_chips: chains of each kind.
    """

    steps: Ascending[Count] = (1, 2, 4)
    side: Width = 12
    updates: Count = 600
    training_sweeps: Plural = 20
    sweeps: Ascending[Count] = (5, 20, 80, 320)
    n_samples: Plural = 400
    small_updates: Count = 800
    large_hidden: Count = 6
    n_chips: Count = 2

    def __post_init__(self):
        """Check every field; a chain is compared with one machine."""
        super().__post_init__()
        self.require(1 in self.steps, "steps", "1 must be in it, to compare with")
        words = "must be at most 8: 14 spins can be enumerated"
        self.require(self.large_hidden <= 8, "large_hidden", words)
        defaults(self)


def defaults(config: Config) -> Chained:
    """What one chain on digits depends on."""
    return base_of(Chained, config, n_steps=config.steps[-1])


PRESETS = {
    "smoke": Config(
        steps=(1, 2),
        updates=5,
        training_sweeps=2,
        sweeps=(2, 4),
        n_samples=20,
        small_updates=60,
        large_hidden=5,
        n_chips=1,
    ),
    "large": Config(steps=(1, 2, 3, 4, 8), side=24, updates=4000, n_chips=8),
}


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


def sweeps(config: Config) -> dict[str, Sweep]:
    """Chains on digits; chains of few spins, and a monolithic machine with more."""
    base = defaults(config)
    axes = {"n_steps": Structural(config.steps)}
    n = config.n_chips
    few = base_of(
        small.Small, config, updates=config.small_updates, sweeps=small.SWEEPS
    )
    kinds = [{"n_steps": t, "n_hidden": few.n_hidden} for t in config.steps]
    kinds.append({"n_steps": 1, "n_hidden": config.large_hidden})
    points = listed(few, kinds)
    points["axes"] = {k: Structural(v) for k, v in points["axes"].items()}
    return {
        "digits": config.sweep(simulate, base, axes=axes, chips=n, dims=DIMS, chunk=1),
        "small": config.sweep(
            small.enumerated, few, chips=2 * n, dims=SMALL_DIMS, **points
        ),
    }


PER_WRITE = tuple(np.geomspace(1, 1e8, 33).tolist())
"""Samples between two writings of a die that serves all steps."""


def derive(config: Config, found: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """Distances by updates, images, and energies by published prices."""
    large = found["digits"].isel(seed=0, drop=True).load()
    few = found["small"].isel(seed=0, drop=True).load()
    steps, base = config.steps, defaults(config)
    each = few.divergence.rename(sweeps="small_sweeps", chip="start")
    dataset = xr.Dataset(
        {
            "distance": large.distance,
            "image": large.image.isel(chip=0, drop=True),
            "divergence": _by_steps(each, steps),
            "wide_divergence": each.isel(point=-1, drop=True).reset_coords(drop=True),
            "energy": _energies(base, steps, config.sweeps[-1]),
        }
    )
    test = digits()[1]
    dataset["test_image"] = (
        ("shown", "pixel"),
        test[:: max(len(test) // SHOWN, 1)][:SHOWN],
    )
    dataset = dataset.assign_coords(
        sweeps=list(config.sweeps), small_sweeps=list(small.SWEEPS)
    )
    data = (
        f"{digits()[2]}; black at 0.5; {config.side} x {config.side} spins, 8 "
        f"neighbours; {config.updates} updates a machine with {config.training_sweeps} "
        "sweeps; few spins: bars and stripes of 2 x 3, 4 hidden, exact; ASSUMED: "
        "evenly fading noise, layout, MMD as the measure"
    )
    names = {"side": config.side, "large_hidden": config.large_hidden}
    return dataset.assign_attrs(data=data, **names)


def _by_steps(each: xr.DataArray, steps: tuple[int, ...]) -> xr.DataArray:
    chosen = each.isel(point=slice(len(steps))).reset_coords(drop=True)
    chosen = chosen.drop_vars("point", errors="ignore").rename(point="n_steps")
    return chosen.assign_coords(n_steps=list(steps))


def _energies(base: Chained, steps: tuple[int, ...], sweeps: int) -> xr.DataArray:
    """J per sample by steps and samples per write."""
    of = {"n_spins": base.side**2, "n_visible": PIXELS, "sweeps": sweeps}
    prices = denoising.Prices()
    found = [
        [
            float(denoising.sample_energy(prices, n_steps=t, samples_per_write=m, **of))
            for m in PER_WRITE
        ]
        for t in steps
    ]
    coords = {"n_steps": list(steps), "per_write": list(PER_WRITE)}
    return xr.DataArray(found, coords, ("n_steps", "per_write"))


def equal_updates(values: xr.DataArray, over: str) -> xr.DataArray:
    """What one machine's is over the longest chain's, each at its best.

    Both may make so many updates in all at most, and stop before.

    Args:
        values: by `n_steps` and sweeps of each machine.
        over: dimension of the sweeps.
    """
    longest = int(values.n_steps[-1])
    both = [k for k in values[over].values if longest * k in values[over].values]
    k = both[-1] if both else values[over].values[-1]
    most = longest * k

    def best(steps: int) -> xr.DataArray:
        at = values.sel(n_steps=steps, drop=True)
        return at.sel({over: at[over] * steps <= most}).min(over)

    return best(1) / best(longest)


def claims(dataset: xr.Dataset) -> list[Claim]:
    """What was published of chains beside one machine; energy is not judged."""
    longest = int(dataset.n_steps[-1])
    energy = float(dataset.energy.sel(n_steps=longest).isel(per_write=-1))
    words = "a denoising chain is better than one machine after as many updates in all"
    return [
        judged(
            dataset,
            f"{words} (ours: digits, MMD from test images of one machine over that of "
            f"{longest})",
            REPLICA,
            equal_updates(dataset.distance, "sweeps"),
            partial(above, 1.0),
            unit="times",
        ),
        judged(
            dataset,
            f"{words} (ours: bars and stripes, exact divergence of one machine over "
            f"that of {longest})",
            REPLICA,
            equal_updates(dataset.divergence.sel(small_sweeps=slice(None, 64)),
                          "small_sweeps"),
            partial(above, 1.0),
            unit="times",
        ),
        not_attempted(
            "10,000 times less energy than a GPU at parity of images (ours: "
            f"{1e9 * energy:.2g} nJ a sample by prices of SPICE, no parity shown; left "
            f"out: {LEFT_OUT})",
            SOURCE, 1e4, "times",
        ),
    ]  # fmt: skip
