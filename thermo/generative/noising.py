"""Making noise of an image: units that are held, then let go, and never coupled."""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.counts import check_count
from thermo.generative.network import (
    QuarticNetwork,
    Scalar,
    ready,
    ready_states,
    ready_step,
    sound,
)
from thermo.reals import alike

__all__ = ["HOLD", "LET_GO", "driving", "noising", "projection", "pull"]

HOLD = 2.0
"""Force on a unit, times its drive, while the image is held (STATED)."""

LET_GO = 0.75
"""Fraction of the noising time after which no force is left (STATED)."""


def projection(
    key: Key[Array, ""], n_visible: int, n_hidden: int
) -> Float[Array, "visible hidden"]:
    """How hidden units see an image: draws of N(0, 1/n_visible), fixed for good.

    STATED: arXiv 2609.15439.

    Raises:
        ValueError: if a number of units is not at least 1.
    """
    check_count("n_visible", n_visible)
    check_count("n_hidden", n_hidden)
    return jr.normal(unrolled(key), (n_visible, n_hidden)) / n_visible**0.5


def driving(
    image: Float[Array, "*many visible"], seen: Float[Array, "visible hidden"]
) -> Float[Array, "*many n"]:
    """The drive of all units by images: `s`, of mean 0 and variance 1, and `seen.T s`.

    Args:
        image: brightness of pixels, in any unit.
        seen: a `projection`.

    Returns:
        Drives of visible and hidden units.

    Raises:
        ValueError: if shapes do not fit, a number is not finite, or an image has but
            one brightness.

    Example:
        >>> driving(jnp.array([0.0, 2.0]), jnp.array([[1.0], [0.5]])).tolist()
        [-1.0, 1.0, -0.5]
    """
    checks.finite("image", image)
    checks.finite("seen", seen)
    image, seen = (jnp.asarray(x) for x in alike(image=image, seen=seen))
    if seen.ndim != 2 or image.ndim < 1 or image.shape[-1] != seen.shape[0]:
        raise ValueError(
            f"seen has shape {seen.shape}: it must be (visible, hidden), to fit image "
            f"of shape {image.shape}."
        )
    s = image - image.mean(-1, keepdims=True)
    s = s / s.std(-1, keepdims=True)
    found = jnp.concatenate([s, s @ seen], -1)
    checks.finite("drive by image and seen", found)
    return found


def pull(steps: int) -> Float[Array, " steps"]:
    """a(t) at the beginning of each step of noising: 2 (1 - t / 0.75 t_f), then 0."""
    return HOLD * jnp.maximum(1 - jnp.arange(steps, dtype=float) / (LET_GO * steps), 0)


def noising(
    key: Key[Array, ""],
    network: QuarticNetwork,
    drive: Float[Array, " n"],
    *,
    dt: Scalar,
    steps: int,
) -> Float[Array, "steps+1 n"]:
    r"""One path from an image to noise.

    From 0 the uncoupled units are held for `steps` under the force 2 drive; then
    `steps` follow, which are returned, under $a(t)$ drive (`pull`). Euler and Maruyama:

    $$ x' = x + \mu\,(a\,d - 2J_2x - 4J_4x^3)\,\mathrm dt
       + \sqrt{2\mu k_BT\,\mathrm dt}\;\xi $$

    Args:
        key: of the noise.
        network: whose constants hold; its couplings and biases are off.
        drive: d, see `driving`.
        dt: step; explicit steps overflow in the quartic well if it is too long: 2.5e-3
            in the default units is safe, 1e-2 is not.
        steps: of each half.

    Raises:
        ValueError: naming what is no network, drive, step or number of steps.
    """
    network = ready(network)
    drive = ready_states("drive", network, drive, 1)
    dt = ready_step("dt", network, dt)
    check_count("steps", steps)
    forces = jnp.concatenate([jnp.full(steps, HOLD), pull(steps)]).astype(drive.dtype)
    shape = 2 * steps, drive.shape[-1]
    kicks = network.kick(dt) * jr.normal(unrolled(key), shape, drive.dtype)

    def step(x, at):
        force, kick = at
        moved = network.mobility * dt * (force * drive - network.own_slope(x))
        return x + moved + kick, x

    end, path = jax.lax.scan(step, jnp.zeros_like(drive), (forces, kicks))
    whole = jnp.concatenate([path[steps:], end[None]])
    return sound(whole, "drive", "dt", "network")
