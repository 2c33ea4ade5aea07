"""How well a classifier knows what it does not know: AUROC and calibration."""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def auroc(inside: Float[Array, " n"], outside: Float[Array, " m"]) -> Float[Array, ""]:
    """Chance that what is from outside scores higher; ties count half.

    Example:
        >>> print(auroc(jnp.array([0.1, 0.2]), jnp.array([0.2, 0.9])))
        0.875
    """
    higher = jnp.mean(outside[:, None] > inside[None, :])
    return higher + jnp.mean(outside[:, None] == inside[None, :]) / 2


def calibration_error(
    confidence: Float[Array, " n"], right: Float[Array, " n"], bins: int = 15
) -> Float[Array, ""]:
    """Expected calibration error: mean |confidence - accuracy| over equal bins.

    Args:
        confidence: probability of the answer given, 0 to 1.
        right: 1 where it was right, else 0.
        bins: of equal width; 15 as is usual.

    Example:
        >>> print(calibration_error(jnp.array([0.75, 0.75]), jnp.array([1.0, 0.0])))
        0.25
    """
    at = jnp.clip((confidence * bins).astype(jnp.int32), 0, bins - 1)
    gap = jnp.zeros(bins).at[at].add(confidence - right)
    return jnp.sum(jnp.abs(gap)) / len(confidence)


def negative_log_likelihood(
    logits: Float[Array, "n k"], labels: Int[Array, " n"]
) -> Float[Array, ""]:
    """Mean over the images, nats.

    Example:
        >>> print(negative_log_likelihood(jnp.zeros((1, 4)), jnp.array([2])).round(4))
        1.3863
    """
    chosen = jnp.take_along_axis(logits, labels[:, None], axis=1)[:, 0]
    top = jnp.max(logits, axis=1)
    total = jnp.log(jnp.sum(jnp.exp(logits - top[:, None]), axis=1)) + top
    return jnp.mean(total - chosen)
