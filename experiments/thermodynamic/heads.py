"""A last layer with an uncertainty: how well it knows what it does not know."""

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from experiments.thermodynamic.scores import (
    auroc,
    calibration_error,
    negative_log_likelihood,
)
from thermo import inference


def scored(
    covariance: Float[Array, "k D D"] | None,
    last: Float[Array, "D k"],
    basis: Float[Array, "D D"],
    phi: Float[Array, "n D"],
    labels: Int[Array, " n"],
    foreign: list[Any],
) -> dict[str, jax.Array]:
    """Scores of one covariance of the last layer.

    Args:
        covariance: of the weights of each class in the `basis`; None for no
            uncertainty.
        last: weights.
        basis: orthogonal.
        phi: features of test images.
        labels: of these.
        foreign: features of images of other sets.

    Returns:
        `accuracy`, expected calibration error `ece`, negative log-likelihood `nll`; of
        each other set the `auroc` by the most probable class, and `variance_auroc` by
        the variance of its logit.
    """

    def judge(phi):
        logits, variance = phi @ last, jnp.zeros((len(phi), last.shape[1]))
        if covariance is not None:
            variance = inference.predictive_variance(phi @ basis, covariance)
            logits = inference.mean_field(logits, variance)
        p = jax.nn.softmax(logits)
        best = jnp.argmax(p, axis=1)
        unsure = jnp.take_along_axis(variance, best[:, None], axis=1)[:, 0]
        return logits, jnp.max(p, axis=1), best, unsure

    logits, sure, best, variance = judge(phi)
    right = (best == labels).astype(sure.dtype)
    outside = [judge(x) for x in foreign]
    return {
        "accuracy": jnp.mean(right),
        "ece": calibration_error(sure, right),
        "nll": negative_log_likelihood(logits, labels),
        "auroc": jnp.stack([auroc(-sure, -o[1]) for o in outside]),
        "variance_auroc": jnp.stack([auroc(variance, o[3]) for o in outside]),
    }
