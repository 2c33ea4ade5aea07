"""Statistical assertions whose tolerance is computed from the sample.

Five standard errors: a correct program fails about once in 1.7 million checks,
so a failure means something, and so does a pass.
"""

import numpy as np

SIGMAS = 5.0


def assert_within(estimate, expected, standard_error, sigmas=SIGMAS):
    """Require every |estimate - expected| <= sigmas * standard_error."""
    estimate, expected, error = np.broadcast_arrays(
        np.asarray(estimate, float),
        np.asarray(expected, float),
        np.asarray(standard_error, float),
    )
    off = np.abs(estimate - expected)
    allowed = sigmas * error + 1e-6 * (1 + np.abs(expected))
    worst = np.unravel_index(np.argmax(off - allowed), off.shape)
    assert np.all(off <= allowed), (
        f"{estimate[worst]:.6g} is {off[worst] / max(error[worst], 1e-300):.1f} "
        f"standard errors from {expected[worst]:.6g} (allowed {sigmas:g})"
    )


def assert_mean(samples, expected, axis=0, sigmas=SIGMAS):
    """Sample mean along `axis` against its expectation."""
    x = np.asarray(samples, float)
    error = x.std(axis, ddof=1) / np.sqrt(x.shape[axis])
    assert_within(x.mean(axis), expected, error, sigmas)


def assert_variance(samples, expected, axis=0, sigmas=SIGMAS):
    """Sample variance along `axis`; its error comes from the fourth moment."""
    x = np.asarray(samples, float)
    squares = (x - x.mean(axis, keepdims=True)) ** 2
    error = squares.std(axis, ddof=1) / np.sqrt(x.shape[axis])
    assert_within(squares.mean(axis), expected, error, sigmas)


def assert_second_moment(samples, expected, axis=0, sigmas=SIGMAS):
    """E[x x^T] of rows `x` (zero mean known) against the expected matrix."""
    x = np.moveaxis(np.asarray(samples, float), axis, 0)
    products = x[:, :, None] * x[:, None, :]
    assert_mean(products, expected, 0, sigmas)


def assert_rate(successes, trials, probability, sigmas=SIGMAS):
    """A count of independent trials against its probability."""
    p = np.asarray(probability, float)
    error = np.sqrt(p * (1 - p) / trials)
    assert_within(np.asarray(successes) / trials, p, error, sigmas)
