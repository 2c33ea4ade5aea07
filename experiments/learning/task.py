"""What a network learns from a batch: how the batch enters, loss, score."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key

Enter = Callable[[Key[Array, ""], Any, Any, bool], tuple[Any, Any]]
"""`enter(key, x, y, train) -> x, y`: augmented or degraded, as the network sees them.
The key is that of a batch, the same for every chip of a seed."""


class Task(NamedTuple):
    """What is learnt: functions of one batch, all of them traceable.

    Attributes:
        loss: of outputs and targets, the number that descends.
        score: of outputs and targets, what is judged: means over the batch, as a
            number or a dict of numbers; NaN where an output is not finite.
        enter: see `Enter`.
    """

    loss: Callable[[Any, Any], Float[Array, ""]]
    score: Callable[[Any, Any], Any]
    enter: Enter = lambda key, x, y, train: (x, y)


def accuracy(logits: Float[Array, "... n c"], labels: Int[Array, "... n"]) -> Array:
    """Fraction right; NaN if any logit is not finite."""
    right = jnp.mean(jnp.argmax(logits, axis=-1) == labels)
    return jnp.where(jnp.all(jnp.isfinite(logits)), right, jnp.nan)


def cross_entropy(
    logits: Float[Array, "... n c"], labels: Int[Array, "... n"]
) -> Float[Array, ""]:
    """Mean over all labels, nats."""
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, labels)
    return jnp.mean(losses)


def bits(logits: Float[Array, "... n c"], labels: Int[Array, "... n"]) -> Array:
    """Mean cross-entropy in bits; NaN if any logit is not finite."""
    spent = cross_entropy(logits, labels) / jnp.log(jnp.asarray(2, logits.dtype))
    return jnp.where(jnp.all(jnp.isfinite(logits)), spent, jnp.nan)


CLASSIFY = Task(cross_entropy, accuracy)
"""Labels from images."""

PREDICT = Task(cross_entropy, bits)
"""The next character of a text: rows of characters, and the same one further."""


def scored_in_pieces(
    score: Callable[[Any, Any], Any], x: Any, y: Any, at_once: int | None
) -> Any:
    """Means of `score(x, y)` over equal pieces of a test set: what memory allows.

    Args:
        score: of some examples.
        x: all of them, with a leading axis.
        y: their targets.
        at_once: examples in a piece, a divisor of all; all of them when None.

    Raises:
        ValueError: if the pieces do not come out even.

    Example:
        >>> x = jnp.arange(6.0)
        >>> scored_in_pieces(lambda x, y: jnp.mean(x + y), x, x, 2)
        Array(5., dtype=float32)
    """
    if at_once is None or at_once == len(x):
        return score(x, y)
    if not 1 <= at_once <= len(x) or len(x) % at_once:
        raise ValueError(f"at_once must be a divisor of {len(x)}, got {at_once}")

    def cut(a: Any) -> Any:
        return jnp.asarray(a).reshape(-1, at_once, *a.shape[1:])

    scores = jax.lax.map(lambda part: score(*part), (cut(x), cut(y)))
    return jax.tree.map(jnp.mean, scores)
