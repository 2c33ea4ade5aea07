"""Waiting for linear algebra, and boards rounded in many ways: laws and tiny runs."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.integrate as si
import scipy.linalg as sl
from matplotlib.figure import Figure

import chipsweep
from chipsweep import Keys
from experiments import catalogue
from experiments.claims import VERDICTS
from experiments.thermodynamic import mitigation, tla, tla_laws
from tests.boards import random_stable
from tests.statistics import assert_mean


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mitigation", "tla"])
def test_it_runs_draws_and_judges(name):
    module = catalogue.find(name)
    smoke = module.PRESETS["smoke"]
    found = {n: chipsweep.run(one.spec) for n, one in module.sweeps(smoke).items()}
    dataset = module.derive(smoke, found)
    assert isinstance(module.plot(dataset), Figure)
    assert all(row.verdict in VERDICTS for row in module.claims(dataset))
    for output in dataset.data_vars:
        assert np.isfinite(dataset[output]).all(), output


def test_the_lyapunov_law_is_the_integral_of_squared_correlations(x64):
    a, r = random_stable()
    s = sl.solve_continuous_lyapunov(np.asarray(a), np.asarray(r))

    def squares(t):
        c = sl.expm(-np.asarray(a) * t) @ s
        return np.trace(c) ** 2 + np.sum(c * c.T)

    right = 2 * si.quad(squares, 0, 30)[0] / np.sum(s**2)
    np.testing.assert_allclose(tla_laws.lyapunov(a, r), right, rtol=2e-3)


def test_the_inverse_law_is_the_lyapunov_law_of_white_noise(x64):
    rates = jnp.array([1.0, 1.5, 3.0])
    general = tla_laws.lyapunov(jnp.diag(rates), 2 * jnp.eye(3))
    np.testing.assert_allclose(general, tla_laws.inverse(rates), rtol=5e-3)


def test_merged_boards_are_the_matrix_on_average():
    """First orders cancel: what is left of them is a step over the number of boards."""
    point = mitigation.Run(rounding="own offsets", size=5, n_boards=64)
    offsets = mitigation._offsets(jr.key(0), point)
    entries = jr.normal(jr.key(1), (5, 5)) * 3
    up = (np.asarray(offsets)[None] + np.arange(64)[:, None, None] / 64) % 1
    mean = np.floor(np.asarray(entries)[None] + up).mean(0)
    assert np.all(abs(mean - entries) < 1 / 64 + 1e-6)
    assert np.array_equal(offsets, offsets.T)


def test_a_fine_step_hardly_errs_and_merging_errs_less():
    keys = Keys(seed=jr.key(0), chip=jr.key(1))
    error = {
        r: float(mitigation.simulate(
            mitigation.Run(rounding=r, step=0.2), 0, keys)["error"])
        for r in ("nearest", "own offsets")
    }  # fmt: skip
    assert 0 < error["own offsets"] < error["nearest"] / 3 < 0.1


def test_one_offset_for_all_is_the_mixture_over_its_breaks():
    """Between sorted 1 - frac(a) nothing is rounded anew: weights are the gaps."""
    d, step, key = 4, 0.2, jr.key(3)
    point = mitigation.Run(rounding="one offset", size=d, step=step, n_boards=4096)
    keys = Keys(seed=jr.key(0), chip=key)
    found = mitigation.simulate(point, 0, keys, trace=True)["inverse"]
    vectors = np.linalg.qr(np.asarray(jr.normal(jr.split(key, 3)[0], (d, d))))[0]
    a = (vectors * np.linspace(1, 2, d)) @ vectors.T / (step / d**0.5)
    a = (a + a.T) / 2
    edges = np.concatenate([[0.0], np.sort(1 - np.unique(a - np.floor(a))), [1.0]])
    middles, gaps = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    each = [np.linalg.inv(np.floor(a + u) * step / d**0.5) for u in middles]
    mixture = np.einsum("k,kij->ij", gaps, each)
    np.testing.assert_allclose(found, mixture, atol=2e-3)


def test_the_law_of_an_exponential_is_its_sum_over_lags():
    """Isserlis, lag by lag, in matrices: none of the geometric series."""
    rates = np.array([0.3, 1.0])
    m, n = np.exp(-rates), 400
    lags = np.arange(-n, n + 1)
    rho = m[None, :] ** np.abs(lags)[:, None]
    ahead, back = (m[None, :] ** np.abs(lags + k)[:, None] for k in (1, -1))
    square = (rho[:, :, None] * rho[:, None, :]).sum() + (ahead * back).sum()
    right = square / (m**2).sum()
    np.testing.assert_allclose(tla_laws.expm(jnp.array(rates)), right, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", tla.PRIMITIVES)
def test_boards_of_modes_err_as_theory_says(name):
    run = tla.Run(primitive=name, size=66, duration=60.0, reads=600, runs=4, steps=256)
    keys = jr.split(jr.key(5), 200)
    found = jax.lax.map(
        lambda k: tla.simulate(run, 0, Keys(seed=jr.key(0), chip=k)), keys
    )
    squares = np.asarray(found["square"], float)
    theory = float(found["coefficient"][0]) / (600 if name == "expm" else 60)
    spread = np.std(squares) / len(squares) ** 0.5
    # theory is of endless records and slow changes: a twentieth is what that costs
    assert abs(squares.mean() - theory) < 5 * spread + theory / 20


@pytest.mark.slow
@pytest.mark.parametrize("name", tla.PRIMITIVES)
def test_modes_are_the_boards_of_the_routines(name):
    """Mean squared errors, by the routines and mode by mode."""
    run = tla.Run(primitive=name, size=6, duration=40.0, reads=400, runs=4, steps=256)
    asked = tla.problem(run, Keys(seed=jr.key(0), chip=jr.key(0)))

    def both(key):
        keys = Keys(seed=jr.key(0), chip=key)
        return tla._routine(run, asked, keys)[1], tla._modes(run, asked, keys)[1]

    first, second = (
        np.asarray(x, float) for x in jax.lax.map(both, jr.split(jr.key(6), 800))
    )
    spread = np.hypot(np.std(first), np.std(second)) / len(first) ** 0.5
    assert abs(first.mean() - second.mean()) < 5 * spread


def test_answers_of_one_seed_scatter_about_the_answer():
    run = tla.Run(size=3, duration=30.0, runs=50, steps=64)

    def one(key):
        found = tla.simulate(run, 0, Keys(seed=jr.key(0), chip=key), trace=True)
        return found["value"], found["square"]

    values, squares = jax.vmap(one)(jr.split(jr.key(2), 400))
    asked = tla.problem(run, Keys(seed=jr.key(0), chip=jr.key(0)))
    turn = np.asarray(jnp.linalg.qr(jr.normal(jr.key(0), (3, 3)))[0], float)
    right = turn @ np.asarray(asked["rhs"] / asked["rates"])
    assert_mean(values, right)
    # theory is of endless time: a board of 30 relaxations errs less by about 1/30
    theory = float(tla_laws.coefficient(run, asked)) / 30
    spread = np.std(np.asarray(squares)) / 20
    assert abs(np.mean(squares) - theory) < 5 * spread + theory / 20
