"""Few enough spins for all their states: bars and stripes, and chains trained on them.

Nothing is drawn but the first couplings: gradients, and the law of what is generated
after finitely many sweeps, are sums over all states.
"""

import itertools
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax

from chipsweep import Keys
from experiments.validate import Checked, Count, Positive, Several
from thermo import denoising

ROWS, COLUMNS = 2, 3
VISIBLE = ROWS * COLUMNS
SWEEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""K of each machine, for which the law is known."""


class Small(Checked):
    """What one chain of few spins depends on.

    Attributes:
        n_steps: T, machines (structural).
        n_hidden: spins of each beside the six of an image (structural).
        updates: of each machine, by its exact gradient (structural).
        learning_rate: of Adam.
        sweeps: K of each machine in generation (structural).
    """

    n_steps: Count = 4
    n_hidden: Count = 4
    updates: Count = 800
    learning_rate: Positive = 0.05
    sweeps: Several[Count] = SWEEPS


def bars_and_stripes() -> np.ndarray:
    """All images whose rows are alike, or whose columns are, `(10, 6)`, -1 or 1.

    Example:
        >>> bars_and_stripes().shape
        (10, 6)
    """
    found = set()
    for line in itertools.product((-1, 1), repeat=COLUMNS):
        found.add(line * ROWS)
    for line in itertools.product((-1, 1), repeat=ROWS):
        found.add(tuple(np.repeat(line, COLUMNS).tolist()))
    return np.array(sorted(found), np.float32)


def law() -> jax.Array:
    """Even over the bars and stripes, over all states of six spins."""
    at = ((bars_and_stripes() + 1) / 2) @ 2 ** np.arange(VISIBLE)[::-1]
    each = np.zeros(2**VISIBLE, np.float32)
    each[at.astype(int)] = 1 / len(at)
    return jnp.asarray(each)


def graph(n_hidden: int) -> denoising.Graph:
    """Pixels as on a chess board, hidden spins in turn; the colours fully coupled."""
    pixels = np.indices((ROWS, COLUMNS)).sum(0).ravel() % 2
    return denoising.two_colours(
        [*pixels.tolist(), *(np.arange(n_hidden) % 2).tolist()]
    )


def enumerated(point: Any, chip: Any, keys: Keys) -> dict[str, Any]:
    """Train one chain by exact gradients; chips differ by their first couplings.

    Returns:
        `divergence` of the images from the law that is generated, nats, by sweeps of
        each machine; `losses`: of all steps together, nats.
    """
    del chip
    spins, wanted = VISIBLE + point.n_hidden, law()
    of = graph(point.n_hidden)
    blank = denoising.untrained(point.n_steps, spins, VISIBLE)
    first = 0.1 * jr.normal(keys.chip, blank.coupling.shape)
    first = jnp.asarray(of.mask, first.dtype)[None] * (first + first.swapaxes(-1, -2))
    chain = trained(with_parameters(blank, first, blank.bias), of, wanted, point)
    entropy = -jnp.log(1 / len(bars_and_stripes()))

    def missed(k: jax.Array) -> jax.Array:
        made = denoising.generated_law(chain, of, k)  # type: ignore[arg-type]
        return -(wanted * jnp.log(made + 1e-30)).sum()

    found = jax.lax.map(missed, jnp.array(point.sweeps))
    return {
        "divergence": found - entropy,
        "losses": denoising.losses(chain, wanted).sum(),
    }


def with_parameters(
    chain: denoising.Chain, coupling: jax.Array, bias: jax.Array
) -> denoising.Chain:
    """The same chain with other couplings and biases."""
    return denoising.Chain(
        coupling=coupling,
        bias=bias,
        retention=chain.retention,
        n_visible=chain.n_visible,
    )


def trained(chain, of, wanted, point):
    """A chain after exact gradient steps of Adam."""
    rule = optax.adam(point.learning_rate)

    def step(carry, _):
        params, state = carry
        now = with_parameters(chain, params[0], params[1])
        slope = denoising.exact_slopes(now, of, wanted)
        with jax.numpy_dtype_promotion("standard"):  # optax's Adam is not strict
            updates, state = rule.update(tuple(slope), state)
        moved: Any = optax.apply_updates(params, updates)
        return (moved, state), None

    params = chain.coupling, chain.bias
    start = params, rule.init(params)
    (params, _), _ = jax.lax.scan(step, start, length=point.updates)
    return with_parameters(chain, *params)
