"""The forward jump: noise that sets spins anew, as a probability and as an energy."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from thermo import checks
from thermo.counts import check_count
from thermo.reals import real_array

__all__ = ["jump_energy", "keep_probability"]


def _ready(retention, levels: int) -> Array:
    check_count("levels", levels, 2)
    checks.non_negative("retention", retention)
    r = checks.values("retention", retention)
    if r is not None and np.any(r > 1):
        raise ValueError(f"retention = {r.max():.6g}: must be from 0 to 1.")
    return jnp.asarray(real_array("retention", retention))


def keep_probability(retention, levels: int = 2) -> Float[Array, "*many"]:
    r"""That a site is found at the level at which it was: $(1 + (M-1)r)/M$.

    A site is set anew, evenly, at rate g; after a time t it was left alone with
    probability $r = e^{-gt}$, the retention. STATED-2nd.

    Args:
        retention: r, from 0 to 1.
        levels: M.

    Raises:
        ValueError: naming what is out of bounds.

    Example:
        >>> float(keep_probability(0.5)), float(keep_probability(0.5, levels=4))
        (0.75, 0.625)
    """
    r = _ready(retention, levels)
    return (1 + (levels - 1) * r) / levels


def jump_energy(retention, levels: int = 2) -> Float[Array, "*many"]:
    r"""What another level costs, k_B T: $\Gamma = \ln[(1 + (M-1)r)/(1 - r)]$.

    The jump is a Boltzmann machine: for spins of two levels with energy
    $-(\Gamma/2)\,x^tx^{t-1}$, so that $\Gamma/2$ times the noisy spin is the bias that
    it gives to the one before. STATED-2nd; the sign that is printed in Eq. D1 of the
    paper is the opposite one, and wrong (STATED-2nd, and by the test here).

    Args:
        retention: r, from 0 to 1; at 1 it is infinite.
        levels: M.

    Raises:
        ValueError: naming what is out of bounds.

    Example:
        >>> f"{float(jump_energy(0.5)):.4f}"
        '1.0986'
    """
    r = _ready(retention, levels)
    return jnp.log1p((levels - 1) * r) - jnp.log1p(-r)
