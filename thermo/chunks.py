"""A run of any length, in chunks of one length and a shorter last one."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np

from thermo.counts import check_count

MOST_CHUNKS = 2**31


def check_run(n_samples: int, burn_in: int, chunk: int = 1) -> None:
    """Refuse a run that leaves nothing to see."""
    check_count("n_samples", n_samples)
    check_count("chunk", chunk)
    if not _whole(burn_in):
        raise ValueError(f"burn_in must be a whole number, at least 0, got {burn_in!r}")
    if not 0 <= burn_in < n_samples:
        raise ValueError(
            f"burn_in must be between 0 and n_samples - 1 = {n_samples - 1}, got "
            f"{burn_in}: nothing would be left to observe"
        )
    if n_samples // chunk >= MOST_CHUNKS:
        raise ValueError(
            f"n_samples = {n_samples}: must be less than 2^31 chunks of {chunk}, since "
            "each has random numbers of its own. Take a longer chunk, or several keys."
        )


def in_chunks(body: Callable, carry: Any, length: int, chunk: int) -> Any:
    """Carry a state through `length` samples.

    Args:
        body: `body(carry, i, length=chunk) -> (carry, None)`, samples from `i * chunk`.
        carry: the state before the first sample.
        length: samples in all.
        chunk: samples at once.

    Returns:
        The state after the last sample.

    Example:
        >>> def body(total, i, length=4):
        ...     return total + length, None
        >>> int(in_chunks(body, 0, 10, 4))
        10
    """
    whole, rest = divmod(length, chunk)
    if whole:
        # The number of the chunk is carried: a list of them would grow with the run.
        def step(state, _):
            carry, i = state
            return (body(carry, i)[0], i + 1), None

        start = carry, jnp.zeros((), jnp.int32)
        (carry, _), _ = jax.lax.scan(step, start, length=whole)
    return body(carry, jnp.asarray(whole, jnp.int32), rest)[0] if rest else carry


def varying_as(tree: Any, *inputs: Any) -> Any:
    """A first carry that varies over the mesh axes of `shard_map` as the inputs do."""
    never = jnp.array(False)
    for x in jax.tree.leaves(inputs):
        if isinstance(x, jax.Array) and x.size:
            x = jr.key_data(x) if jnp.issubdtype(x.dtype, jax.dtypes.prng_key) else x
            never = never | ((x == x).ravel()[0] & False)
    return jax.tree.map(lambda x: jnp.where(never, x, x), tree)


def _whole(x):
    return np.ndim(x) == 0 and np.asarray(x).dtype.kind in "iu"
