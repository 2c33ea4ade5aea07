"""Uncertainty on boards: scores by oracles, tiny runs of both experiments."""

import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.special
import sklearn.gaussian_process as gp
import sklearn.metrics
from matplotlib.figure import Figure
from sklearn.gaussian_process.kernels import RBF, Matern, WhiteKernel

import chipsweep
from chipsweep import Keys
from experiments import catalogue
from experiments.claims import VERDICTS
from experiments.thermodynamic import gp_regression, scores, two_moons
from experiments.thermodynamic.sngp import Sngp, bounded

DRAW = np.random.default_rng(0)
NAN = {"values"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gp_regression", "last_layer"])
def test_it_runs_draws_and_judges(name):
    module = catalogue.find(name)
    smoke = module.PRESETS["smoke"]
    found = {n: chipsweep.run(one.spec) for n, one in module.sweeps(smoke).items()}
    dataset = module.derive(smoke, found)
    assert isinstance(module.plot(dataset), Figure)
    assert all(row.verdict in VERDICTS for row in module.claims(dataset))
    for output in set(dataset.data_vars) - NAN:
        assert np.isfinite(dataset[output]).all(), output


def test_auroc_is_that_of_scikit_learn():
    inside, outside = DRAW.integers(0, 9, 40) / 8, DRAW.integers(2, 12, 30) / 8
    found = scores.auroc(jnp.asarray(inside), jnp.asarray(outside))
    truth = np.r_[np.zeros(40), np.ones(30)]
    right = sklearn.metrics.roc_auc_score(truth, np.r_[inside, outside])
    np.testing.assert_allclose(found, right, rtol=1e-6)


def test_the_calibration_error_is_a_sum_over_bins():
    sure, right = DRAW.random(200), DRAW.integers(0, 2, 200).astype(float)
    total = 0.0
    for low in np.arange(15) / 15:
        here = (sure >= low) & (sure < low + 1 / 15)
        if here.any():
            total += here.mean() * abs(sure[here].mean() - right[here].mean())
    found = scores.calibration_error(jnp.asarray(sure), jnp.asarray(right))
    np.testing.assert_allclose(found, total, rtol=1e-4)


def test_the_likelihood_is_that_of_the_softmax():
    logits, labels = DRAW.normal(size=(20, 4)) * 30, DRAW.integers(0, 4, 20)
    right = -scipy.special.log_softmax(logits, 1)[np.arange(20), labels].mean()
    found = scores.negative_log_likelihood(jnp.asarray(logits), jnp.asarray(labels))
    np.testing.assert_allclose(found, right, rtol=1e-5)


def test_a_bounded_matrix_stretches_nothing_further_and_a_small_one_stays():
    w = jnp.asarray(DRAW.normal(size=(30, 8)), jnp.float32)
    assert np.linalg.norm(bounded(w, 2.0), 2) == pytest.approx(2.0, rel=0.05)
    np.testing.assert_array_equal(bounded(w / 100, 2.0), w / 100)


def test_features_are_drawn_once_and_only_two_matrices_are_learned():
    net = Sngp(inputs=4, hidden=5, features=8, classes=3, length=1.0, bound=2.0)
    x = jnp.ones((2, 2, 2, 1))
    params = net.init(jr.key(0), x)
    assert {k: v.shape for k, v in params["params"].items()} == {
        "inner": (4, 5),
        "last": (8, 3),
    }
    phi = net.apply(params, x, method="phi")
    np.testing.assert_allclose(net.apply(params, x), phi @ params["params"]["last"])
    assert np.all(np.sum(np.asarray(phi) ** 2, 1) <= 2)


@pytest.mark.slow
@pytest.mark.parametrize("name", gp_regression.KERNELS)
def test_the_digital_posterior_is_that_of_scikit_learn(name):
    point = gp_regression.Run(kernel=name)
    keys = Keys(seed=jr.key(0), chip=jr.key(1))
    found = gp_regression.exact(point, 0, keys)
    smooth = {"exponential": Matern(0.3, nu=0.5), "squared exponential": RBF(0.3)}[name]
    jitter = 0.0 if name == "exponential" else point.jitter
    kernel = smooth if not jitter else smooth + WhiteKernel(jitter)
    known = gp_regression.MEASURED
    model = gp.GaussianProcessRegressor(kernel, alpha=point.noise**2, optimizer=None)
    y = np.asarray(gp_regression.measurements(point, keys))
    model.fit(gp_regression.POINTS[known, None], y[known])
    mean, deviation = model.predict(gp_regression.FINE[:, None], return_std=True)
    np.testing.assert_allclose(found["curve_mean"], mean, atol=1e-4)
    np.testing.assert_allclose(found["curve_deviation"], deviation, atol=1e-3)


@pytest.mark.slow
def test_turned_precisions_fit_on_passive_couplers_and_others_do_not():
    point = two_moons.Moons(n_samples=480, tolerance=0.0)
    keys = Keys(seed=jr.key(0), chip=jr.key(1))
    found = two_moons.simulate(point, 0, keys)
    assert float(found["growth"]) == 1.0
    assert float(found["own_growth"]) > 1.2
    assert 0.8 < float(found["accuracy"]) <= 1
