r"""Rules with the numbers of two published settings of few states.

"lenet": arXiv 2510.02516 and its code (Li et al.); "fcn": Wu et al. 2024 and 2025 and
their code. Public numbers are STATED there. $\delta$ is the step of a device, $\eta$
the learning rate, $B$ the images of a batch.

What IBM's analog hardware kit does and we do otherwise. `fast_lr`, at which it writes
the fast array, stays while $\eta$ falls, and its transfers fall with $\eta$; here all
falls in front of the rule: the product of both is the same (DERIVED). Its scaling of
columns (omega 0.3 or 0.6) and learned output scales are left out: weights stand in the
window as they are, for all rules alike.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

import eapu_jax as ej
from experiments.learning.rules import Bench, Make

GAMMA = 0.4
"""Part of the fast array in residual learning (STATED, fcn)."""
GRANULARITY = 1000.0
"""`auto_granularity` of TT-v2, v3, v4 (STATED, fcn; lenet v3, v4)."""
GRANULARITY_RL = 100.0
"""`auto_granularity` of RL-v2 (STATED, fcn)."""
CHOP = 0.1
"""Probability that a chopper turns (STATED); RL-v2 has none (STATED)."""
FAST_SCALED, LENGTH = 0.1, 31
"""`fast_lr` under `auto_scale` (STATED), in units of as many pulses (RECALLED: the
default of the kit)."""
MOMENTUM_RL = 0.9
"""What stays in the buffer of RL-v2 (STATED)."""
READS = 10
"""Reads of a line under one sign in TT-v4, 1 / CHOP. `tail_weightening` is 10 (STATED),
so that the kit's running mean is the last read (DERIVED); ours is that of all of them,
and what is transferred at once is as much as there by all reads (`eapu_jax.agad`)."""
MEMORY = 0.99
"""Of the running largest update of `auto_scale` (STATED, the kit)."""


class Kit(NamedTuple):
    """Public numbers in which the two settings differ.

    Attributes:
        fast_lr: at which TT-v1 and TT-v2 write the fast array (STATED).
        granular: whether the threshold of TT-v2 follows `auto_granularity` (fcn,
            STATED), or is one step of the device (lenet: `thres_scale` = Wmax = 1,
            STATED).
    """

    fast_lr: float
    granular: bool


KITS = {"lenet": Kit(fast_lr=0.1, granular=False), "fcn": Kit(0.01, granular=True)}


class Tiles(NamedTuple):
    """Numbers of many tiles, the coarsest first, as `eapu_jax.multi_tile` takes them.

    Attributes:
        gamma: weight of a tile in that of the one before.
        rate: of the transfer to every tile but the last.
        every: updates between them.
    """

    gamma: float
    rate: list[float]
    every: list[int]


def many_tiles(tiles: int) -> Tiles:
    """Weight 0.5, rates 0.1 * 1.2^n, a transfer every 2 * 5^n updates (STATED).

    There rates are counted from the coarsest tile and times from the finest (read in
    the code); the published LeNet-5 has 7 tiles, ResNets on CIFAR-10 have 8, with 0.3 *
    1.2^n and 3 * 2^n (STATED, not built).

    Example:
        >>> many_tiles(4).every, [round(rate, 4) for rate in many_tiles(4).rate]
        ([50, 10, 2], [0.12, 0.144, 0.1728])
    """
    pairs = range(tiles - 1)
    rates = [0.1 * 1.2 ** (n + 1) for n in pairs]
    return Tiles(0.5, rates, [2 * 5 ** (tiles - 2 - n) for n in pairs])


def published(point: Any, layers: Mapping[str, tuple[int, int]]) -> dict[str, Make]:
    """Every rule as the setting of the point has it.

    Args:
        point: `setting`, `learning_rate`, `states`, `tiles`.
        layers: name -> inputs of a layer, and vectors that enter it in a step.
    """
    kit, rate = KITS[point.setting], point.learning_rate
    fast = on_arrays(optax.scale(kit.fast_lr / rate))

    def granular(on: Bench, granularity: float) -> dict[str, Any]:
        """A buffer that is worth a step after so many reads of the whole array."""
        theta = {
            name: granularity * on.threshold / (inputs * vectors)
            for name, (inputs, vectors) in layers.items()
        }
        return {"threshold": theta, "step": on.threshold, "key": on.key}

    def v2(on: Bench) -> dict[str, Any]:
        whole = {"threshold": on.threshold, "step": on.threshold, "key": on.key}
        return granular(on, GRANULARITY) if kit.granular else whole

    return {
        "tiki_taka": lambda on: optax.chain(
            fast, ej.tiki_taka(*on.both, key=on.key, rate=rate)
        ),
        "residual_learning": lambda on: optax.chain(
            fast, ej.residual_learning(*on.both, key=on.key, rate=rate, gamma=GAMMA)
        ),
        "tiki_taka_v2": lambda on: optax.chain(
            fast, ej.tiki_taka_v2(*on.both, rate=rate, **v2(on))
        ),
        "chopped_tiki_taka": lambda on: optax.chain(
            _levelled(on),
            ej.chopped_tiki_taka(
                *on.both, rate=rate, flip=CHOP, **granular(on, GRANULARITY)
            ),
        ),
        "agad": lambda on: optax.chain(
            _levelled(on),
            ej.agad(
                *on.both, rate=READS * rate, reads=READS, gate=0.0,
                **granular(on, GRANULARITY),
            ),
        ),
        "residual_learning_v2": lambda on: ej.residual_learning_v2(
            *on.both, gamma=GAMMA + 1 / point.states, rate=0.11 + 1 / point.states,
            momentum=MOMENTUM_RL, flip=0.0, **granular(on, GRANULARITY_RL),
        ),
        "multi_tile": lambda on: ej.multi_tile(
            [on.crossbar] * point.tiles, key=on.key, **many_tiles(point.tiles)._asdict()
        ),
    }  # fmt: skip


def on_arrays(tx: optax.GradientTransformation) -> optax.GradientTransformation:
    """A link for what lives on arrays; digital biases pass by it."""
    return optax.masked(tx, lambda tree: jax.tree.map(lambda x: x.ndim > 1, tree))


def _levelled(on: Bench) -> optax.GradientTransformation:
    return on_arrays(levelled(FAST_SCALED * LENGTH * on.threshold))


class Largest(NamedTuple):
    """The running mean of the largest update of every leaf."""

    step: Array
    mean: Any


def levelled(size: Any) -> optax.GradientTransformation:
    """Scale every leaf so that its largest update is `size` in the running mean.

    A stand-in (INFERRED) for `auto_scale` of the kit, which divides by running maxima
    of inputs and errors; a link of a chain sees their product alone. The mean is that
    of Adam, unbiased from the first update on.

    Example:
        >>> tx = levelled(0.5)
        >>> update = jnp.array([[1.0, -4.0]])
        >>> tx.update(update, tx.init(update))[0].round(3)
        Array([[ 0.125, -0.5  ]], dtype=float32)
    """

    def init_fn(params):
        blank = jax.tree.map(lambda w: jnp.zeros((), w.dtype), params)
        return Largest(jnp.zeros((), jnp.int32), blank)

    def update_fn(updates, state, params=None):
        del params
        step = jnp.asarray(optax.safe_increment(state.step))

        def follow(mean: Float[Array, ""], u: Array) -> Array:
            return MEMORY * mean + (1 - MEMORY) * jnp.max(jnp.abs(u))

        mean = jax.tree.map(follow, state.mean, updates)
        share = 1 - MEMORY ** step.astype(jnp.float32)

        def scaled(u: Array, mean: Array) -> Array:
            largest = mean / share
            return u * jnp.where(largest > 0, size / largest, 1.0)

        return jax.tree.map(scaled, updates, mean), Largest(step, mean)

    return optax.GradientTransformation(init_fn, update_fn)
