"""Generation: from heat alone, by a trained network that is switched on."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo.counts import check_count
from thermo.generative.network import QuarticNetwork, Scalar, ready, ready_step, sound

__all__ = ["Generated", "generate"]


class Generated(NamedTuple):
    """What a network made.

    Attributes:
        start: states when the couplings are switched on, `(n_samples, n)`.
        end: states that were generated; the visible units are images.
        heat: of each sample, E0, `(n_samples,)`, see `thermo.generative.heat`.
    """

    start: Float[Array, "samples n"]
    end: Float[Array, "samples n"]
    heat: Float[Array, " samples"]


def generate(
    key: Key[Array, ""],
    network: QuarticNetwork,
    n_samples: int,
    *,
    dt: Scalar,
    steps: int,
) -> Generated:
    """Let the units relax uncoupled, then under the learned potential.

    Both for `steps`, from 0, by Euler and Maruyama; STATED: arXiv 2609.15439.

    Args:
        key: of the noise.
        network: trained.
        n_samples: independent runs.
        dt: step, see `noising`.
        steps: of each half.

    Returns:
        States and heat; under `jit` NaN where a run diverged.

    Raises:
        ValueError: naming what is no network, step or number, or a step that is so
            long that runs diverge.

    Example:
        >>> from thermo.generative import untrained
        >>> made = generate(jr.key(0), untrained(4, 2), 3, dt=2.5e-3, steps=10)
        >>> made.end.shape, float(abs(made.heat).max()) > 0
        ((3, 6), True)
    """
    network = ready(network)
    check_count("n_samples", n_samples)
    check_count("steps", steps)
    dt = ready_step("dt", network, dt)
    first, second = jr.split(key)
    rest = jnp.zeros((n_samples, network.n_units), network.coupling.dtype)
    start = _relaxed(first, rest, network, network.own_slope, dt, steps)
    end = _relaxed(second, start, network, network.slope, dt, steps)
    made = Generated(start, end, network.energy(start) - network.energy(end))
    return sound(made, "dt", "network")


def _relaxed(key, x, network, slope, dt, steps):
    def step(x, i):
        noise = jr.normal(unrolled(jr.fold_in(key, i)), x.shape, x.dtype)
        return x - network.mobility * dt * slope(x) + network.kick(dt) * noise, None

    return jax.lax.scan(step, x, jnp.arange(steps, dtype=jnp.uint32))[0]
