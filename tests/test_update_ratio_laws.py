"""How often EaPU and a digital residual write under Adam, against plain NumPy."""

import dataclasses
from functools import partial

import jax
import jax.random as jr
import numpy as np
import pytest

from chipsweep import keys_of
from eapu_jax import laws
from experiments.memristor import residual_law

B1 = 0.9
RESIDUAL = laws.residual_update_ratio
START = {
    0.0: (-0.5, 0.5),
    0.02: (-0.5, 0.9),
    0.05: (0.0, 1.0),
}  # about where walks stand later on


def adam_updates(rng, signal, walkers, steps):
    """Adam's updates at rate 1, its second moment known: one array per step."""
    m = np.full(walkers, signal) + rng.normal(size=walkers) * np.sqrt(
        (1 - B1) / (1 + B1)
    )
    for _ in range(steps):
        m = B1 * m + (1 - B1) * (signal + rng.normal(size=walkers))
        yield m / np.sqrt(1 + signal**2)


@pytest.mark.parametrize("signal", [0.0, 0.1, 1.0])
def test_eapu_writes_as_often_as_updates_are_large(signal):
    rng, theta, rate = np.random.default_rng(1), 0.025, 1e-3
    sizes = np.array(
        [np.abs(u).mean() for u in adam_updates(rng, signal, 2000, 600)][::40]
    )
    error = sizes.std(ddof=1) / np.sqrt(len(sizes)) * rate / theta
    law = float(laws.adam_update_ratio(rate, theta, signal=signal))
    assert abs(sizes.mean() * rate / theta - law) < 5 * error


@pytest.mark.parametrize(
    ("signal", "scaled", "walkers", "steps"),
    [
        (0.0, 0.005, 4000, 20_000),
        (0.02, 0.02, 2000, 10_000),
        (0.05, 0.005, 1000, 8_000),
    ],
)
def test_a_residual_writes_when_its_walk_has_left_the_threshold(
    signal, scaled, walkers, steps
):
    rng = np.random.default_rng(2)  # scaled: learning rate over threshold
    residual, events = rng.uniform(*START[signal], walkers), 0
    for i, update in enumerate(adam_updates(rng, signal, walkers, steps)):
        residual += scaled * update
        sent = np.trunc(residual)
        residual -= sent
        events += int(np.abs(sent).sum()) * (i >= steps // 4)
    measured = events / (walkers * (steps - steps // 4))
    law = float(laws.residual_update_ratio(scaled, 1.0, signal))
    # the law is that of small steps: it holds to about twice their size
    assert abs(measured / law - 1) < 5 / np.sqrt(events) + 2 * scaled


def test_both_ends_of_the_residual_s_law():
    small, large = (float(laws.residual_update_ratio(0.01, 1.0, r)) for r in (0.0, 0.5))
    np.testing.assert_allclose(small, 1e-4, rtol=1e-5)
    np.testing.assert_allclose(large, 0.01 * 0.5 / np.sqrt(1.25), rtol=1e-5)
    near = [float(laws.residual_update_ratio(0.01, 1.0, r)) for r in (9.9e-6, 1.01e-5)]
    np.testing.assert_allclose(near[0], near[1], rtol=1e-5)  # where the branches meet


def test_the_experiment_counts_what_the_laws_say():
    """Transforms and simulation of the figure, against the closed forms."""
    base = residual_law.Weights(n_weights=256, n_steps=3000, learning_rate=2e-3)
    for rule, law in (("eapu", laws.adam_update_ratio), ("residual", RESIDUAL)):
        run = jax.jit(
            partial(residual_law.simulate, dataclasses.replace(base, rule=rule), 0)
        )
        found = [float(run(keys_of(jr.key(3), 0, c))["writes"]) for c in range(8)]
        wanted = float(law(base.learning_rate, base.threshold))
        error = np.std(found, ddof=1) / np.sqrt(len(found))
        slack = {"eapu": 0.0, "residual": 4 * base.learning_rate / base.threshold}[rule]
        assert abs(np.mean(found) - wanted) < 5 * error + slack * wanted
