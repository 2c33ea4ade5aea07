"""The threshold that matches the error of a weight, whatever cells it is made of."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import eapu_jax as ej
from eapu_jax.array import deploy_one, write

SCALE = 1 / 80
ERROR = 2.0
CELLS = 10_000
ENCODINGS = {
    # how the independent errors of a weight's cells, all of one size, add up
    "one cell": (ej.SingleCell(), 1.0),
    "one of a pair": (ej.DifferentialPair(policy="plus"), 1.0),
    "upwards alone": (ej.DifferentialPair(policy="up"), 1.0),
    "both of a pair": (ej.DifferentialPair(policy="both"), np.sqrt(2)),
    "against a column": (ej.OffsetColumn(), 1.0),
    "the mean of four": (ej.Redundant(copies=4), 1 / 2),
    "four pairs": (
        ej.Redundant(within=ej.DifferentialPair(policy="both"), copies=4),
        np.sqrt(2) / 2,
    ),
}


def matched(device, encoding, **others):
    crossbar = ej.Crossbar(device=device, encoding=encoding, r_wg=SCALE)
    return float(ej.matched_threshold(jr.key(0), crossbar, **others)) / SCALE


@pytest.mark.parametrize("name", ENCODINGS)
def test_it_is_the_error_of_a_weight(name):
    encoding, factor = ENCODINGS[name]
    found = matched(ej.AdditiveError(write_noise=ERROR), encoding)
    expected = ERROR * factor
    # the standard deviation of n normals errs by sd / sqrt(2 n)
    assert abs(found - expected) < 5 * expected / np.sqrt(2 * CELLS)


def test_every_cell_that_shares_a_change_is_sent_a_whole_pulse():
    pulsed = ej.SoftBounds(pulse=3.0, write_noise=0.0)
    crossbar = ej.Crossbar(
        device=pulsed,
        encoding=ej.DifferentialPair(rest=40.0, policy="both"),
        r_wg=SCALE,
    )
    threshold = ej.matched_threshold(jr.key(0), crossbar, g=40.0)
    state = deploy_one(jr.key(1), crossbar, jnp.zeros((20, 20)))
    _, pulses = write(jr.key(2), crossbar, state, jnp.full((20, 20), threshold))
    assert np.all(pulses.sent)
    least = 2 * float(pulsed.smallest_request())
    assert float(threshold) / SCALE == pytest.approx(2 * least)


def test_of_one_cell_it_is_what_write_error_measures():
    device = ej.AdditiveError(write_noise=ERROR)
    threshold = matched(device, ej.SingleCell())
    _, sd = ej.write_error(jr.key(0), device, ERROR)
    assert threshold == pytest.approx(float(sd), rel=1e-6)


def test_it_is_traced_like_anything_else():
    def of(noise):
        crossbar = ej.Crossbar(device=ej.AdditiveError(write_noise=noise), r_wg=SCALE)
        return ej.matched_threshold(jr.key(0), crossbar)

    alone = [float(of(noise)) for noise in (1.0, 2.0)]
    np.testing.assert_allclose(jax.vmap(of)(jnp.array([1.0, 2.0])), alone, rtol=1e-5)
