"""Few spins, all their states: laws, kernels, losses and slopes without a draw.

States are ordered as binary numbers, the first spin the most significant, -1 before 1.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from thermo import checks
from thermo.counts import check_count
from thermo.denoising.chain import Chain
from thermo.denoising.chain import ready as ready_chain
from thermo.denoising.graph import Graph
from thermo.denoising.graph import ready as ready_graph
from thermo.denoising.jumps import keep_probability
from thermo.denoising.machine import BoltzmannMachine, ready
from thermo.denoising.slopes import Slope
from thermo.precision import full_precision

__all__ = [
    "exact_slopes",
    "generated_law",
    "kernel",
    "losses",
    "probabilities",
    "states",
]

MOST = 14
"""Spins, that 2^n states of them can be held."""


def states(n: int) -> Float[Array, "2**n n"]:
    """All states of n spins.

    Raises:
        ValueError: if these are more than 14 spins, or none.

    Example:
        >>> states(2)[:3]
        Array([[-1., -1.],
               [-1.,  1.],
               [ 1., -1.]], dtype=float32)
    """
    check_count("n", n)
    if n > MOST:
        raise ValueError(f"n = {n}: at most {MOST} spins can be enumerated.")
    bits = np.arange(2**n)[:, None] >> np.arange(n)[::-1] & 1
    return jnp.asarray(2.0 * bits - 1)


@full_precision
def probabilities(
    machine: BoltzmannMachine, field: Float[Array, " n"] | float = 0.0
) -> Float[Array, " 2**n"]:
    """The equilibrium law over all states.

    Args:
        machine: of at most 14 spins.
        field: added to the bias, k_B T.

    Raises:
        ValueError: naming what is no machine, or no field of it.

    Example:
        >>> one = BoltzmannMachine(coupling=jnp.zeros((1, 1)), bias=jnp.zeros(1))
        >>> probabilities(one)
        Array([0.5, 0.5], dtype=float32)
    """
    machine = ready(machine)
    checks.finite("field", field)
    checks.shaped("field", field, (), (machine.n_spins,), beside="machine")
    return jnp.exp(_log_law(machine, jnp.asarray(field, machine.bias.dtype)))


def _log_law(machine: BoltzmannMachine, field: Array) -> Array:
    all_of_them = states(machine.n_spins).astype(machine.bias.dtype)
    pulled = all_of_them @ jnp.broadcast_to(field, machine.bias.shape)
    return jax.nn.log_softmax(pulled - machine.energy(all_of_them))


def _swept(law: Array, probability: Array, graph: Graph) -> Array:
    """A law after one sweep of block Gibbs in a machine of this equilibrium."""
    cube = (2,) * len(graph.colour)
    law, weight = law.reshape(cube), probability.reshape(cube)
    for c in (0, 1):
        block = tuple(np.flatnonzero(np.asarray(graph.colour) == c).tolist())
        given = weight / weight.sum(block, keepdims=True)
        law = law.sum(block, keepdims=True) * given
    return law.reshape(-1)


def kernel(
    machine: BoltzmannMachine, graph: Graph, field: Float[Array, " n"] | float = 0.0
) -> Float[Array, "2**n 2**n"]:
    """The chance of every state, by row, to be another, by column, a sweep later.

    Args:
        machine: of few spins: the matrix has 4^n entries.
        graph: of its couplings.
        field: added to the bias, k_B T.

    Raises:
        ValueError: naming what is no machine, graph or field.
    """
    law = probabilities(machine, field)
    graph = ready_graph(graph, ready(machine).n_spins)
    start = jnp.eye(len(law), dtype=law.dtype)
    return jax.vmap(lambda one: _swept(one, law, graph))(start)


def _jump(retention: Array, n: int) -> Array:
    """The chance of every visible state to be another after a step of noise."""
    keep = keep_probability(retention)
    x = states(n)
    alike = (x @ x.T + n) / 2
    return keep**alike * (1 - keep) ** (n - alike)


def _laws(chain: Chain, law: Array) -> Array:
    """Of the visible spins before every step of noise, `(T, 2**v)`."""

    def step(now: Array, retention: Array) -> tuple[Array, Array]:
        return now @ _jump(retention, chain.n_visible).astype(now.dtype), now

    return jax.lax.scan(step, law, jnp.asarray(chain.retention))[1]


def _ready(chain: Chain, law: Array) -> tuple[Chain, Array]:
    chain = ready_chain(chain)
    checks.shaped("law", law, (2**chain.n_visible,), beside="chain")
    checks.non_negative("law", law)
    total = checks.values("law", law)
    if total is not None and abs(total.sum() - 1) > 1e-4:
        raise ValueError(f"law sums to {total.sum():.6g}: it must be 1.")
    return chain, jnp.asarray(law, chain.bias.dtype)


@full_precision
def losses(chain: Chain, law: Float[Array, " 2**v"]) -> Float[Array, " T"]:
    r"""Minus the mean log likelihood of undoing every step of noise, exactly.

    $$ L_t = -\sum_{x, y} q(x^{t-1} = x)\,q(x^t = y\,|\,x)\ln P(x\,|\,y) $$

    Args:
        chain: of few spins.
        law: of the images, q(x^0), over all their states.

    Raises:
        ValueError: naming what is no chain, or no law.
    """
    chain, law = _ready(chain, law)
    n, x = chain.n_visible, states(chain.n_visible).astype(chain.bias.dtype)

    def one(at: tuple[Array, Array]) -> Array:
        t, before = at
        both = _given(chain, t, x)
        shown = jax.nn.logsumexp(both.reshape(2**n, 2**n, -1), -1)
        return -(_joint(chain, t, before) * shown).sum()

    return jax.lax.map(one, (jnp.arange(chain.n_steps), _laws(chain, law)))


def _given(chain: Chain, t: Array, noisy: Array) -> Array:
    """Log law of all spins of machine t, by row for each state of the noisy ones."""
    machine = chain.machine(t)
    return jax.vmap(lambda field: _log_law(machine, field))(chain.field(t, noisy))


def _joint(chain: Chain, t: Array, before: Array) -> Array:
    """Of the visible spins after a step of noise, by row, and before it."""
    jump = _jump(chain.retention[t], chain.n_visible).astype(before.dtype)
    return (before[:, None] * jump).T


@full_precision
def exact_slopes(chain: Chain, graph: Graph, law: Float[Array, " 2**v"]) -> Slope:
    """Gradients of `losses`, each by its own machine: free less held averages.

    Args:
        chain: of few spins.
        graph: of the couplings.
        law: of the images, over all their states.

    Returns:
        As `slope`, with a leading axis of the steps.

    Raises:
        ValueError: naming what is no chain, graph or law.
    """
    chain, law = _ready(chain, law)
    graph = ready_graph(graph, chain.n_spins)
    n, dtype = chain.n_visible, chain.bias.dtype
    x, s = states(n).astype(dtype), states(chain.n_spins).astype(dtype)

    def one(at: tuple[Array, Array]) -> Slope:
        t, before = at
        free = jnp.exp(_given(chain, t, x))
        split = free.reshape(2**n, 2**n, -1)
        hidden = split / split.sum(-1, keepdims=True)  # y, x, z
        joint = _joint(chain, t, before)
        held = (joint[..., None] * hidden).sum(0).reshape(-1)
        excess = joint.sum(1) @ free - held
        pairs = jnp.asarray(graph.mask, dtype) * ((s * excess[:, None]).T @ s)
        return Slope(pairs, excess @ s)

    return jax.lax.map(one, (jnp.arange(chain.n_steps), _laws(chain, law)))


@full_precision
def generated_law(chain: Chain, graph: Graph, sweeps: int) -> Float[Array, " 2**v"]:
    """The law of `generate`, exactly, after finitely many sweeps of each machine.

    Args:
        chain: of few spins.
        graph: of the couplings.
        sweeps: of each machine, K.

    Raises:
        ValueError: naming what is no chain, graph or number.
    """
    chain = ready_chain(chain)
    graph = ready_graph(graph, chain.n_spins)
    check_count("sweeps", sweeps)
    n, dtype = chain.n_visible, chain.bias.dtype
    x = states(n).astype(dtype)
    hidden = 2 ** (chain.n_spins - n)
    start = jnp.repeat(jnp.eye(2**n, dtype=dtype) / hidden, hidden, -1)
    law = jnp.full(2**n, 0.5**n, dtype)

    def step(law: Array, t: Array) -> tuple[Array, None]:
        def made(of: Array, one: Array) -> Array:
            of = jnp.exp(of)
            end = jax.lax.fori_loop(0, sweeps, lambda _, p: _swept(p, of, graph), one)
            return end.reshape(2**n, hidden).sum(-1)

        return law @ jax.vmap(made)(_given(chain, t, x), start), None

    return jax.lax.scan(step, law, jnp.arange(chain.n_steps), reverse=True)[0]
