"""Block Gibbs sampling: all spins of one colour at a time."""

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.counts import check_count
from thermo.denoising.graph import Graph
from thermo.denoising.graph import ready as ready_graph
from thermo.denoising.machine import BoltzmannMachine, ready, ready_spins
from thermo.reals import real_array

__all__ = ["gibbs"]


def gibbs(
    key: Key[Array, ""],
    machine: BoltzmannMachine,
    graph: Graph,
    spins: Float[Array, "k n"],
    *,
    sweeps: int,
    field: Float[Array, "*k n"] | float = 0.0,
    n_held: int = 0,
) -> Float[Array, "k n"]:
    r"""Let spins relax: each colour in turn is drawn given the other.

    $$ P(s_i = 1\,|\,\text{rest}) = \sigma\bigl(2(\textstyle\sum_jJ_{ij}s_j + b_i
       + f_i)\bigr) $$

    One sweep updates every spin once. Given the other colour, the spins of a colour are
    independent: each half of a sweep is in detailed balance, the sweep leaves the
    equilibrium alone.

    Args:
        key: of the draws.
        machine: whose law is sampled.
        graph: of its couplings; two colours.
        spins: where they start, -1 or 1.
        sweeps: how many.
        field: f, added to the bias of each spin, k_B T.
        n_held: so many of the first spins stay where they are.

    Raises:
        ValueError: naming what fits no machine.

    Example:
        >>> from thermo.denoising import two_colours
        >>> pair = BoltzmannMachine(
        ...     coupling=jnp.array([[0.0, 1.0], [1.0, 0.0]]), bias=jnp.zeros(2)
        ... )
        >>> start = jnp.ones((10_000, 2))
        >>> end = gibbs(jr.key(0), pair, two_colours([0, 1]), start, sweeps=20)
        >>> f"{float((end[:, 0] * end[:, 1]).mean()):.1f} {float(jnp.tanh(1.0)):.1f}"
        '0.8 0.8'
    """
    machine = ready(machine)
    n, dtype = machine.n_spins, machine.bias.dtype
    graph = ready_graph(graph, n)
    spins = ready_spins("spins", n, spins, dtype)
    check_count("sweeps", sweeps)
    check_count("n_held", n_held, 0)
    if n_held >= n:
        raise ValueError(f"n_held = {n_held}: must be less than {n}, all spins.")
    checks.finite("field", field)
    checks.shaped("field", field, (), (n,), spins.shape, beside="spins")
    field = jnp.asarray(real_array("field", field)).astype(dtype)
    field = jnp.broadcast_to(field, spins.shape)
    free = jnp.arange(n) >= n_held
    colour = jnp.asarray(graph.colour)
    groups = [(free & (colour == c))[None] for c in (0, 1)]

    def sweep(i: Array, s: Array) -> Array:
        dice = jr.uniform(unrolled(jr.fold_in(key, i)), s.shape, dtype)
        for group in groups:
            up = jax.nn.sigmoid(2 * (machine.pull(s) + field))
            s = jnp.where(group, jnp.where(dice < up, 1, -1).astype(dtype), s)
        return s

    return jax.lax.fori_loop(0, sweeps, sweep, spins)
