"""A machine for every step of noise: noising forwards, generation backwards."""

from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
import jax.random as jr
from jaxtyping import Array, Float, Key

from prng import unrolled
from thermo import checks
from thermo.counts import check_count
from thermo.denoising.gibbs import gibbs
from thermo.denoising.graph import Graph
from thermo.denoising.graph import ready as ready_graph
from thermo.denoising.jumps import jump_energy, keep_probability
from thermo.denoising.machine import BoltzmannMachine, ready_spins
from thermo.reals import alike, real_array

__all__ = ["Chain", "generate", "noised", "untrained"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Chain:
    r"""T machines; the t-th makes the visible spins of step t - 1 out of those of t.

    $$ P(x^{t-1}\,|\,x^t) \propto \sum_z \exp\Bigl(\tfrac{\Gamma_t}2\,x^t\cdot x^{t-1}
       - E_t(x^{t-1}, z)\Bigr) $$

    Visible spins x come first, hidden ones z behind. With one machine and retention 0
    it is a Boltzmann machine alone, a monolithic one. STATED-2nd.

    Attributes:
        coupling: J of each machine, `(T, n, n)`.
        bias: b of each machine, `(T, n)`.
        retention: of each step of noise, from 0 to below 1, see `jumps`; the last one
            is 0, so that generation can start from even noise, `(T,)`.
        n_visible: spins that show the image.
    """

    coupling: jax.Array
    bias: jax.Array
    retention: jax.Array
    n_visible: int = field(metadata={"static": True})

    @property
    def n_steps(self) -> int:
        """T."""
        return self.bias.shape[0]

    @property
    def n_spins(self) -> int:
        """Visible and hidden, of one machine."""
        return self.bias.shape[-1]

    def machine(self, t: int | jax.Array) -> BoltzmannMachine:
        """That of step t, counted from 0: it makes the images themselves."""
        return BoltzmannMachine(coupling=self.coupling[t], bias=self.bias[t])

    def field(
        self, t: int | jax.Array, noisy: Float[Array, "*many v"]
    ) -> Float[Array, "*many n"]:
        """The bias that the noisier spins add to machine t, k_B T."""
        half = jump_energy(self.retention[t]).astype(noisy.dtype) / 2
        hidden = self.n_spins - self.n_visible
        pads = [(0, 0)] * (noisy.ndim - 1)
        return jnp.pad(half * noisy, [*pads, (0, hidden)])

    def check(self) -> None:
        """Refuse a chain that is none.

        Raises:
            ValueError: naming the field, its value and its bound.
        """
        check_count("n_visible", self.n_visible)
        bias = real_array("bias", self.bias)
        if bias.ndim != 2 or 0 in bias.shape:
            raise ValueError(f"bias has shape {bias.shape}: it must be (T, n).")
        steps, n = bias.shape
        checks.shaped("coupling", self.coupling, (steps, n, n), beside="bias")
        checks.shaped("retention", self.retention, (steps,), beside="bias")
        if self.n_visible > n:
            raise ValueError(f"n_visible = {self.n_visible}: must be at most {n}.")
        checks.non_negative("retention", self.retention)
        r = checks.values("retention", self.retention)
        if r is not None and not (r[-1] == 0 and r.max() < 1):
            raise ValueError(f"retention = {r}: must be below 1, and 0 at the end.")
        for t in range(steps):
            self.machine(t).check()


def ready(chain: Chain) -> Chain:
    """A chain to compute with.

    Raises:
        ValueError: naming what is none.
    """
    if not isinstance(chain, Chain):
        raise ValueError(f"chain = {chain!r:.80}: must be a Chain.")
    chain.check()
    coupling, bias, retention = alike(
        coupling=chain.coupling, bias=chain.bias, retention=chain.retention
    )
    return replace(
        chain,
        coupling=jnp.asarray(coupling),
        bias=jnp.asarray(bias),
        retention=jnp.asarray(retention),
    )


def untrained(n_steps: int, n_spins: int, n_visible: int) -> Chain:
    """A chain before training, with noise that fades evenly: a_t = 1 - t / T.

    a_t is what is left of an image after t steps; a step keeps a_t / a_(t-1) of it.
    The schedule is ASSUMED.

    Args:
        n_steps: T.
        n_spins: of each machine.
        n_visible: that show the image.

    Raises:
        ValueError: naming the number that is too small, or too large.

    Example:
        >>> untrained(2, 3, 2).retention
        Array([0.5, 0. ], dtype=float32)
    """
    check_count("n_steps", n_steps)
    check_count("n_spins", n_spins)
    check_count("n_visible", n_visible)
    left = 1 - jnp.arange(n_steps + 1) / n_steps
    made = Chain(
        coupling=jnp.zeros((n_steps, n_spins, n_spins)),
        bias=jnp.zeros((n_steps, n_spins)),
        retention=left[1:] / left[:-1],
        n_visible=n_visible,
    )
    made.check()
    return made


def noised(
    key: Key[Array, ""], chain: Chain, image: Float[Array, "k v"]
) -> Float[Array, "T+1 k v"]:
    """Images, and what is left of them after each step of noise.

    Args:
        key: of the flips.
        chain: whose retentions hold.
        image: visible spins, -1 or 1.

    Raises:
        ValueError: naming what is no chain, or no image of it.
    """
    chain = ready(chain)
    dtype = chain.bias.dtype
    image = ready_spins("image", chain.n_visible, image, dtype)

    def step(x: Array, at: tuple[Array, Array]) -> tuple[Array, Array]:
        i, retention = at
        dice = jr.uniform(unrolled(jr.fold_in(key, i)), x.shape, dtype)
        after = jnp.where(dice < keep_probability(retention).astype(dtype), x, -x)
        return after, after

    steps = jnp.arange(chain.n_steps, dtype=jnp.uint32)
    path = jax.lax.scan(step, image, (steps, jnp.asarray(chain.retention)))[1]
    return jnp.concatenate([image[None], path])


def generate(
    key: Key[Array, ""], chain: Chain, graph: Graph, n_samples: int, *, sweeps: int
) -> Float[Array, "T+1 n_samples v"]:
    """Images out of even noise, machine by machine.

    Each machine starts from the visible spins that it is given, and hidden ones at
    random.

    Args:
        key: of the draws.
        chain: trained.
        graph: of the couplings of every machine.
        n_samples: independent runs.
        sweeps: of each machine, K.

    Returns:
        Visible spins from the image, first, to the noise, last.

    Raises:
        ValueError: naming what is no chain, graph or number.
    """
    chain = ready(chain)
    ready_graph(graph, chain.n_spins)
    check_count("n_samples", n_samples)
    check_count("sweeps", sweeps)
    key_noise, key_hidden, key_gibbs = jr.split(key, 3)
    dtype = chain.bias.dtype
    noise = jr.rademacher(key_noise, (n_samples, chain.n_visible), dtype)
    hidden = n_samples, chain.n_spins - chain.n_visible

    def step(x: Array, t: Array) -> tuple[Array, Array]:
        z = jr.rademacher(jr.fold_in(key_hidden, t), hidden, dtype)
        end = gibbs(
            jr.fold_in(key_gibbs, t), chain.machine(t), graph,
            jnp.concatenate([x, z], -1), sweeps=sweeps, field=chain.field(t, x),
        )  # fmt: skip
        made = end[:, : chain.n_visible]
        return made, made

    steps = jnp.arange(chain.n_steps, dtype=jnp.uint32)
    path = jax.lax.scan(step, noise, steps, reverse=True)[1]
    return jnp.concatenate([path, noise[None]])
