"""A board of capacitors alone: voltages and charges, and what it cannot hold."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from tests.statistics import assert_second_moment
from thermo.circuits import CapacitorBoard, digital_factor, program_capacitors

BETWEEN = jnp.array([[0.0, 0.4, 0.0], [0.4, 0.0, 0.2], [0.0, 0.2, 0.0]])
BOARD = CapacitorBoard(
    ground_capacitance=jnp.array([1.0, 0.5, 0.1]), coupling=BETWEEN, temperature=1.7
)
C = np.diag([1.4, 1.1, 0.3]) - np.asarray(BETWEEN)
DRAWN = BOARD.sample(jr.key(0), 20_000)


def test_voltages_sample_the_inverse_and_charges_the_matrix_itself():
    np.testing.assert_allclose(BOARD.capacitance(), C, rtol=1e-6)
    assert_second_moment(DRAWN.v, 1.7 * np.linalg.inv(C))
    assert_second_moment(DRAWN.u, 1.7 * C)


def test_charges_are_one_product_of_the_voltages():
    np.testing.assert_allclose(DRAWN.u, np.asarray(DRAWN.v) @ C, atol=1e-5)


def test_a_programmed_matrix_comes_back_in_its_own_unit():
    matrix = jnp.array([[200, -100], [-100, 200]])  # whole numbers are promoted
    program = program_capacitors(matrix, temperature=0.3)
    v, u = program.board.sample(jr.key(1), 20_000)
    assert_second_moment(program.like_matrix(u) / 10, np.asarray(matrix) / 100)
    right = np.linalg.inv(np.asarray(matrix, float))
    assert_second_moment(10 * program.like_inverse(v), 100 * right)


def test_capacitors_apart_by_many_orders_keep_their_charges():
    """Couplers a million times what goes to ground: C v would cancel in float32."""
    board = CapacitorBoard(
        ground_capacitance=jnp.full(2, 1e-6), coupling=1.0 - jnp.eye(2)
    )
    u = np.asarray(board.sample(jr.key(2), 20_000).u, float)
    total = u.sum(1)  # of variance 2e-6, beside charges of variance 1
    assert abs(np.mean(total**2) / 2e-6 - 1) < 0.2
    assert_second_moment(u, [[1, -1], [-1, 1]])


def test_any_other_covariance_takes_a_digital_factor():
    wanted = np.array([[2.0, -0.7, 0.1], [-0.7, 1.0, 0.0], [0.1, 0.0, 0.5]])
    m = np.asarray(digital_factor(BOARD, jnp.asarray(wanted)), float)
    np.testing.assert_allclose(m @ (1.7 * np.linalg.inv(C)) @ m.T, wanted, atol=1e-5)
    assert_second_moment(np.asarray(DRAWN.v) @ m.T, wanted)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: program_capacitors(jnp.array([[2.0, 1.0], [1.0, 2.0]])),
            r"matrix\[0, 1\] = 1",
        ),
        (
            lambda: program_capacitors(jnp.array([[1.0, -2.0], [-2.0, 5.0]])),
            "matrix",
        ),
        (lambda: program_capacitors(np.eye(2) * 1j), "matrix is complex"),
        (
            lambda: CapacitorBoard(
                ground_capacitance=jnp.zeros(2), coupling=jnp.zeros((2, 2))
            ).sample(jr.key(0), 3),
            "not positive definite",
        ),
        (lambda: BOARD.sample(jr.key(0), 0), "n_samples must be at least 1"),
        (lambda: digital_factor(BOARD, jnp.eye(2)), r"covariance has shape \(2, 2\)"),
        (lambda: digital_factor(BOARD, -jnp.eye(3)), "covariance is not positive"),
        (lambda: digital_factor(3, jnp.eye(3)), "board = 3"),  # type: ignore[arg-type]
    ],
)
def test_what_no_board_of_capacitors_holds_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_population_of_boards_is_one_call():
    grounds = jnp.array([[1.0, 0.5, 0.1], [2.0, 1.0, 0.2]])

    def one(key, ground):
        board = CapacitorBoard(ground_capacitance=ground, coupling=BETWEEN)
        return board.sample(key, 4)

    keys = jr.split(jr.key(3))
    many = jax.jit(jax.vmap(one))(keys, grounds)
    np.testing.assert_allclose(many.v[1], one(keys[1], grounds[1]).v, rtol=1e-4)
