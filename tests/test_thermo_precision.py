"""A law keeps its digits on every device: no matrix product at a GPU's default."""

import re

import jax
import jax.numpy as jnp
import jax.random as jr
import pytest

from tests.boards import random_board, random_stable
from thermo import Correlations, Moments, RCBoard, exact, modes, propagator, trajectory
from thermo import moments as running
from thermo.observers import measure
from thermo.simulate import simulate

pytestmark = pytest.mark.usefixtures("optimised")

F, D = random_stable()
S = D @ D + jnp.eye(4)
BOARD = random_board(temperature=1.0)
RC = RCBoard(
    ground_capacitance=jnp.ones(2),
    coupling=0.1 * (1 - jnp.eye(2)),
    resistance=jnp.ones(2),
    noise=jnp.ones(2),
)
OMEGA = jnp.array([0.5, 1.0])
INSTANTS = jnp.linspace(0.0, 1.0, 3)

LAWS = {
    "stationary covariance": lambda: exact.stationary_covariance(F, D),
    "transition": lambda: exact.transition(F, D, 0.3),
    "autocorrelation": lambda: exact.autocorrelation(F, S, OMEGA),
    "spectrum": lambda: exact.spectrum(F, D, OMEGA),
    "burn-in": lambda: exact.burn_in_time(F, D, 0.1),
    "linear form": lambda: RC.linear(),
    "diffusion": lambda: BOARD.linear().diffusion,
    "dense run": lambda: trajectory(jr.key(0), propagator(BOARD, 0.1), 4),
    "modal run": lambda: trajectory(jr.key(0), modes(RC, 0.1), 4),
    "moments": lambda: running(jr.key(0), propagator(RC, 0.1), 4),
    "observer": lambda: measure(Moments(), jnp.ones((8, 2))),
    "correlations": lambda: measure(Correlations(2), jnp.ones((8, 2))),
    "diffrax": lambda: simulate(jr.key(0), RC, INSTANTS, steps=2),
}


@pytest.mark.parametrize("name", LAWS)
def test_every_matrix_product_is_asked_for_at_full_precision(name):
    program = jax.jit(LAWS[name]).lower().as_text()
    products = re.findall(r"dot_general.*", program)
    assert products
    assert all("precision = [HIGHEST, HIGHEST]" in p for p in products)
