r"""What EaPU does on average: closed forms, and the oracles of the tests.

Notation: $d = \Delta W$ the update asked for, $\theta = \Delta W_{th}$ the
threshold, $s = R_{wg}\,\mathrm{SD}(\epsilon_\mathrm{cell})$ the write error, all
in units of the weights. All DERIVED from the published rule.
"""

import math

import jax
import jax.numpy as jnp
from jax.scipy.special import erf

from eapu_jax.checks import number
from eapu_jax.devices.base import Scalar


def write_probability(dw: jax.Array, threshold: Scalar) -> jax.Array:
    r"""$P(\text{write}) = \min(1, |d| / \theta)$.

    Example:
        >>> import jax.numpy as jnp
        >>> write_probability(jnp.array([-0.5, 0.0, 3.0]), 2.0)
        Array([0.25, 0.  , 1.  ], dtype=float32)
    """
    number("dw", dw)
    number("threshold", threshold, above=0)
    return jnp.minimum(jnp.abs(dw) / threshold, 1)


def step_variance(dw: jax.Array, threshold: Scalar) -> jax.Array:
    r"""Variance of the step for want of a fine pulse: $|d| \max(\theta - |d|, 0)$.

    Example:
        >>> import jax.numpy as jnp
        >>> step_variance(jnp.array([0.5, 3.0]), 2.0)
        Array([0.75, 0.  ], dtype=float32)
    """
    number("dw", dw)
    number("threshold", threshold, above=0)
    size = jnp.abs(dw)
    return size * jnp.maximum(threshold - size, 0)


def total_variance(dw: jax.Array, threshold: Scalar, write_noise: Scalar) -> jax.Array:
    r"""Variance of a weight's change in one step, write error included.

    $$ |d| \max(\theta - |d|, 0) + \min(1, |d| / \theta)\, s^2 $$

    For $|d|$ below $\theta$ and $s$ it is least at $\theta = s$, where it is
    $2 |d| s - d^2$; noisy backpropagation pays $s^2$ at every step.

    Example:
        >>> import jax.numpy as jnp
        >>> total_variance(jnp.array([0.1]), jnp.array([0.5, 1.0, 2.0]), 1.0) * 100
        Array([24., 19., 24.], dtype=float32)
    """
    number("write_noise", write_noise, at_least=0)
    error = write_probability(dw, threshold) * write_noise**2
    return step_variance(dw, threshold) + error


def adam_update_ratio(
    learning_rate: Scalar, threshold: Scalar, b1: float = 0.9, signal: Scalar = 0.0
) -> Scalar:
    r"""Expected update ratio of EaPU under Adam, as long as updates are below $\theta$.

    Gradients are normal with a mean of $\rho$ standard deviations. Adam's update is
    then $\eta$ times a normal of mean $\rho / \sqrt{1 + \rho^2}$ and variance
    $\frac{1 - \beta_1}{1 + \beta_1} / (1 + \rho^2)$, and $R_{up}$ its mean size
    over $\theta$; without signal

    $$ R_{up} = \sqrt{\frac{1 - \beta_1}{1 + \beta_1}} \sqrt{\frac 2 \pi}\,
       \frac{\eta}{\theta} = 0.183\,\frac \eta \theta $$

    Args:
        learning_rate: $\eta$.
        threshold: $\theta$.
        b1: $\beta_1$; $\beta_2$ is near 1.
        signal: $\rho$.

    Example:
        >>> f"{adam_update_ratio(1e-3, 2 / 80):.4f}"
        '0.0073'
    """
    number("learning_rate", learning_rate, at_least=0)
    number("threshold", threshold, above=0)
    number("b1", b1, at_least=0, under=1)
    number("signal", signal, at_least=0)
    deviation = math.sqrt((1 - b1) / (1 + b1))
    z = signal / (deviation * math.sqrt(2))
    size = deviation * math.sqrt(2 / math.pi) * jnp.exp(-(z**2)) + signal * erf(z)
    return size / jnp.sqrt(1 + signal**2) * learning_rate / threshold


def residual_update_ratio(
    learning_rate: Scalar, threshold: Scalar, signal: Scalar = 0.0
) -> Scalar:
    r"""Expected update ratio of a digital residual under Adam.

    The residual of `mixed_precision` is a walk of drift $\mu = \eta \rho /
    \sqrt{1 + \rho^2}$ and variance $\sigma^2 = \eta^2 / (1 + \rho^2)$ per step
    (momentum reorders the noise and keeps its sum), which starts anew, about at 0,
    whenever it has left $\pm \theta$. For steps small against $\theta$

    $$ R_{up} = \frac{\mu}{\theta \tanh(\mu \theta / \sigma^2)} $$

    which is $(\eta / \theta)^2$ without signal and $\rho \eta / \theta$ where drift
    rules. Opposite updates cancel before they are written, so the ratio falls with
    the square of the learning rate, EaPU's with the rate itself (DERIVED).

    Args:
        learning_rate: $\eta$.
        threshold: $\theta$, the step of a pulse.
        signal: $\rho$, mean of a gradient over its standard deviation.

    Example:
        >>> [f"{residual_update_ratio(1e-3, 0.025, rho):.2e}" for rho in (0.0, 0.1)]
        ['1.60e-03', '4.03e-03']
    """
    number("learning_rate", learning_rate, above=0)
    number("threshold", threshold, above=0)
    number("signal", signal, at_least=0)
    scaled = learning_rate / threshold
    z = jnp.asarray(signal * jnp.sqrt(1 + signal**2) / scaled)
    safe = jnp.where(z > 1e-3, z, 1.0)
    ratio = jnp.where(z > 1e-3, safe / jnp.tanh(safe), 1 + z**2 / 3)
    return ratio * scaled**2 / (1 + signal**2)


def stationary_variance_eapu(
    mean_abs: Scalar, threshold: Scalar, write_noise: Scalar
) -> Scalar:
    r"""Where EaPU balances on $f(w) = a w^2 / 2$ under plain SGD.

    $$ E[w^2] = E|w|\,\frac{\theta + s^2 / \theta}{2} $$

    without gradient noise and while $|d| < \theta$: neither the learning rate nor
    the curvature $a$ enters. It is the balance at which $E[w^2]$ would stand still.
    Strictly it never does: cells near 0 are written ever more rarely, and $E[w^2]$
    creeps down for as long as one waits, so it holds up to that slow drift.

    Args:
        mean_abs: $E|w|$ at the same time.
        threshold: $\theta$.
        write_noise: $s$.

    Example:
        >>> f"{stationary_variance_eapu(0.0094, 0.025, 0.025):.6f}"
        '0.000235'
    """
    number("mean_abs", mean_abs, at_least=0)
    number("threshold", threshold, above=0)
    number("write_noise", write_noise, at_least=0)
    return mean_abs * (threshold + write_noise**2 / threshold) / 2


def stationary_variance_backprop(
    write_noise: Scalar, learning_rate: Scalar, curvature: Scalar = 1.0
) -> Scalar:
    r"""Where noisy backpropagation settles on $f(w) = a w^2 / 2$ under plain SGD.

    $$ E[w^2] = \frac{s^2}{2 \eta a - \eta^2 a^2} $$

    The smaller the learning rate $\eta$, the farther from the minimum.

    Example:
        >>> from math import sqrt
        >>> f"{sqrt(stationary_variance_backprop(0.025, 0.1)):.4f}"
        '0.0574'
        >>> f"{sqrt(stationary_variance_backprop(0.025, 0.001)):.4f}"
        '0.5592'
    """
    number("write_noise", write_noise, at_least=0)
    number("learning_rate", learning_rate, at_least=0)
    number("curvature", curvature, at_least=0)
    pull = learning_rate * curvature
    number("learning_rate * curvature", pull, above=0, under=2)
    return write_noise**2 / (2 * pull - pull**2)
