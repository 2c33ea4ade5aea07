"""A run of any length, in chunks of one length and a shorter last one."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp


def check_run(n_samples: int, burn_in: int, chunk: int = 1) -> None:
    """Refuse a run that leaves nothing to see."""
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples}")
    if not 0 <= burn_in < n_samples:
        raise ValueError(
            f"burn_in must be between 0 and n_samples - 1 = {n_samples - 1}, got "
            f"{burn_in}: nothing would be left to observe"
        )
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, got {chunk}")


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
        carry, _ = jax.lax.scan(body, carry, jnp.arange(whole))
    return body(carry, jnp.asarray(whole), rest)[0] if rest else carry
