"""Natural gradients by waiting: both ends, the mean and noise between, composition."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
import scipy.linalg as sl

from tests.statistics import assert_second_moment
from thermo import natural_gradient as ng

KEY = jr.key(0)
X = jr.normal(jr.key(1), (6, 3))
LABELS = jnp.array([0, 1, 1, 0, 1, 0])
PARAMS = {"w": jr.normal(jr.key(2), (3, 2)) / 2, "b": jnp.array([0.1, -0.2])}
DAMPING = 0.05
each_way = pytest.mark.parametrize("relaxation", [ng.Euler(), ng.Modes()])


def model(params):
    return jnp.tanh(X @ params["w"]) + params["b"][None]


def loss(outputs):
    of = optax.softmax_cross_entropy_with_integer_labels
    return jnp.mean(of(outputs, LABELS))


@cache
def problem():
    """Gradient and product; by other means F as a matrix, the gradient a vector."""
    gradient = jax.grad(lambda p: loss(model(p)))(PARAMS)
    product = ng.gauss_newton(model, loss, PARAMS)
    jacobian = jax.jacfwd(model)(PARAMS)
    j = np.concatenate([np.reshape(jacobian[k], (12, -1)) for k in ("b", "w")], 1)
    h = np.reshape(jax.hessian(loss)(model(PARAMS)), (12, 12))
    f = j.T @ h @ j + DAMPING * np.eye(8)
    return gradient, product, f.astype(float), flat(gradient)


def flat(tree):
    """By the names of the leaves, in their order."""
    return np.concatenate([np.ravel(tree[k]) for k in sorted(tree)]).astype(float)


def first(tx, **how):
    """The first update, flat, and the state behind it."""
    gradient, product, *_ = problem()
    found, state = tx.update(gradient, tx.init(PARAMS), curvature=product, **how)
    return flat(found), state


def relaxed(time, relaxation=None, **how):
    relaxation = relaxation or ng.Modes()
    return ng.relaxed(time, key=KEY, damping=DAMPING, relaxation=relaxation, **how)


def test_the_product_is_that_with_the_matrix():
    _, product, f, _ = problem()
    columns = [flat(product(unit)) for unit in units()]
    np.testing.assert_allclose(columns, f - DAMPING * np.eye(8), atol=1e-6)


def units():
    for i in range(8):
        v = jnp.eye(8)[i]
        yield {"b": v[:2], "w": v[2:].reshape(3, 2)}


@each_way
def test_no_time_is_gradient_descent_exactly(relaxation):
    found, _ = first(relaxed(0.0, relaxation, noise=0.1))
    assert np.array_equal(found, problem()[3])


def test_endless_time_is_the_natural_gradient():
    *_, f, b = problem()
    right = np.linalg.solve(f, b)
    np.testing.assert_allclose(first(relaxed(np.inf))[0], right, rtol=1e-4)
    long = relaxed(400.0, ng.Euler(step=1.0))  # of 20 of the slowest mode
    np.testing.assert_allclose(first(long)[0], right, rtol=1e-4)


def test_the_solution_is_the_natural_gradient_and_says_how_far_off_it_is():
    *_, f, b = problem()
    found, state = first(ng.solved(damping=DAMPING, tolerance=1e-6))
    np.testing.assert_allclose(found, np.linalg.solve(f, b), rtol=1e-4)
    assert state.residual < 2e-6
    found, state = first(ng.solved(damping=DAMPING, iterations=1))
    right = np.linalg.norm(b - f @ found) / np.linalg.norm(b)
    np.testing.assert_allclose(state.residual, right, rtol=1e-3)


@pytest.mark.parametrize("time", [0.3, 5.0, 40.0])
def test_the_mean_is_between_both_as_the_equation_says(time):
    *_, f, b = problem()
    end = np.linalg.solve(f, b)
    right = sl.expm(-f * time) @ (b - end) + end
    np.testing.assert_allclose(first(relaxed(time))[0], right, rtol=2e-5)


def test_steps_are_those_of_euler_and_end_at_the_time_asked_for():
    *_, f, b = problem()
    g = b
    for _ in range(7):
        g = g - 2.0 / 7 * (f @ g - b)
    found, _ = first(relaxed(2.0, ng.Euler(step=0.3)))
    np.testing.assert_allclose(found, g, rtol=1e-5)
    exact = first(relaxed(5.0, ng.Euler(step=0.1)))[0]  # 50 steps, not 51
    g = b
    for _ in range(50):
        g = g - 0.1 * (f @ g - b)
    np.testing.assert_allclose(exact, g, rtol=1e-5)


def test_a_step_longer_than_the_time_is_the_time():
    *_, f, b = problem()
    coarse = first(relaxed(0.5, ng.Euler(step=1e6)))[0]
    np.testing.assert_allclose(coarse, b - 0.5 * (f @ b - b), rtol=1e-5)
    with pytest.raises(ValueError, match="steps"):
        relaxed(1.0, ng.Euler(step=1e-20))


@pytest.mark.parametrize("h", [None, 1.0])
def test_the_noise_settles_at_the_covariance_of_theory(h):
    *_, f, b = problem()
    noise, end = 0.02, np.linalg.solve(f, b)
    how = ng.Modes() if h is None else ng.Euler(step=h)
    tx = relaxed(120.0, how, noise=noise)  # e^-6 of the start, e^-12 of its square
    gradient, product, *_ = problem()

    def one(key):
        state = tx.init(PARAMS)._replace(key=jr.key_data(key))
        return tx.update(gradient, state, curvature=product)[0]

    found = jax.jit(jax.vmap(one))(jr.split(KEY, 2000))
    g = np.concatenate([np.reshape(found[k], (2000, -1)) for k in ("b", "w")], 1)
    left = sl.expm(-f * 120) if h is None else np.linalg.matrix_power(
        np.eye(8) - h * f, 120)  # fmt: skip
    settled = noise * np.linalg.inv(f @ (np.eye(8) - (h or 0) * f / 2))
    right = settled - left @ settled @ left.T
    assert_second_moment(g - end - left @ (b - end), right)


def test_draws_follow_from_key_and_step():
    tx = relaxed(3.0, noise=0.1)
    again, other = first(tx)[0], first(ng.relaxed(3.0, key=jr.key(9), noise=0.1))[0]
    one, state = first(tx)
    gradient, product, *_ = problem()
    two, _ = tx.update(gradient, state, curvature=product)
    assert np.array_equal(one, again)
    assert not np.allclose(one, flat(two))
    assert not np.allclose(one, other)


# Left running


def test_a_running_board_goes_on_from_where_it_was_after_the_delay():
    _, product, f, b = problem()
    end, move = np.linalg.solve(f, b), lambda t: sl.expm(-f * t)
    tx = ng.running(
        2.0, key=KEY, delay=0.7, damping=DAMPING, relaxation=ng.Modes()
    )  # fmt: skip
    one, state = first(tx)
    after = move(2.0) @ (b - end) + end
    np.testing.assert_allclose(one, after, rtol=2e-5)
    after = move(0.7) @ (after - end) + end
    np.testing.assert_allclose(flat(state.board), after, rtol=2e-5)
    other = jax.tree.map(jnp.negative, problem()[0])
    two, _ = tx.update(other, state, curvature=product)
    np.testing.assert_allclose(flat(two), move(2.0) @ (after + end) - end, rtol=5e-5)


def test_both_phases_of_a_running_board_draw_for_themselves():
    tx = ng.running(1.0, key=KEY, delay=1.0, noise=1.0, relaxation=ng.Modes())
    zero = jax.tree.map(jnp.zeros_like, PARAMS)
    read, state = tx.update(zero, tx.init(PARAMS), curvature=lambda v: v)
    kicked = flat(state.board) - np.exp(-1.01) * flat(read)
    assert not np.allclose(kicked, flat(read), rtol=1e-3)


# A step that is too long


def test_the_longest_step_is_two_over_the_largest_eigenvalue():
    _, product, f, _ = problem()
    found = ng.longest_step(product, PARAMS, key=KEY, damping=DAMPING)
    np.testing.assert_allclose(found, 2 / np.linalg.eigvalsh(f)[-1], rtol=1e-3)


def test_a_chip_whose_step_is_too_long_says_so_and_its_neighbours_go_on():
    *_, f, b = problem()
    longest = 2 / np.linalg.eigvalsh(f)[-1]

    def chip(step):
        return first_of(relaxed(3000.0, ng.Euler(step=step)))

    gradient, product, *_ = problem()

    def first_of(tx):
        return tx.update(gradient, tx.init(PARAMS), curvature=product)

    found, state = jax.vmap(chip)(jnp.array([0.9, 1.15, 3.0]) * longest)
    fine = np.concatenate([np.ravel(found[k][0]) for k in ("b", "w")])
    np.testing.assert_allclose(fine, np.linalg.solve(f, b), rtol=1e-3)
    assert state.stiffness[0] < 1
    assert not np.isfinite(found["w"][2]).all()
    assert all(not s <= 1 for s in state.stiffness[1:])


def test_a_step_just_too_long_is_told_before_it_has_blown_up():
    *_, f, _ = problem()
    step = 1.2 * 2 / np.linalg.eigvalsh(f)[-1]
    found, state = first(relaxed(20 * step, ng.Euler(step=step)))
    assert np.isfinite(found).all()
    np.testing.assert_allclose(state.stiffness, 1.2, rtol=0.01)


# Composition


def train(tx, steps=3):
    @jax.jit
    def step(params, state):
        gradient = jax.grad(lambda p: loss(model(p)))(params)
        product = ng.gauss_newton(model, loss, params)
        updates, state = tx.update(gradient, state, params, curvature=product)
        return optax.apply_updates(params, updates), state

    params, state = PARAMS, tx.init(PARAMS)
    for _ in range(steps):
        params, state = step(params, state)
    return params, state


def test_a_chain_is_an_optimizer_and_descends_further_than_gradient_descent():
    def end(time):
        chain = optax.chain(relaxed(time, ng.Euler(step=0.5)), optax.scale(-0.3))
        return float(loss(model(train(chain, 5)[0])))

    assert end(20.0) < end(0.0) < float(loss(model(PARAMS)))


def test_times_and_noises_are_swept_in_one_call():
    gradient, product, *_ = problem()

    def update(time, noise, relaxation):
        tx = relaxed(time, relaxation, noise=noise)
        return tx.update(gradient, tx.init(PARAMS), curvature=product)[0]["w"]

    for relaxation in (ng.Euler(step=0.3), ng.Modes()):
        one = partial(update, relaxation=relaxation)
        times, noises = jnp.array([0.0, 0.7, 4.0]), jnp.array([0.0, 0.01, 0.1])
        together = jax.jit(jax.vmap(one))(times, noises)
        alone = [one(float(t), float(n)) for t, n in zip(times, noises, strict=True)]
        np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)


def test_accumulated_gradients_are_relaxed_together():
    gradient, product, *_ = problem()
    tx = optax.MultiSteps(relaxed(2.0), every_k_schedule=2)
    with jax.numpy_dtype_promotion("standard"):
        state = tx.init(PARAMS)
        for scale in (0.5, 1.5):
            scaled = jax.tree.map(partial(jnp.multiply, scale), gradient)
            found, state = tx.update(scaled, state, PARAMS, curvature=product)
    np.testing.assert_allclose(flat(found), first(relaxed(2.0))[0], rtol=1e-5)


def test_what_is_not_finite_is_skipped_by_optax():
    gradient, product, *_ = problem()
    tx = optax.apply_if_finite(relaxed(2.0), 3)
    bad = jax.tree.map(lambda g: g * jnp.nan, gradient)
    found, state = tx.update(bad, tx.init(PARAMS), curvature=product)
    assert not np.any(flat(found))
    found, _ = tx.update(gradient, state, curvature=product)
    np.testing.assert_allclose(flat(found), first(relaxed(2.0))[0], rtol=1e-5)


def test_halves_are_relaxed_in_singles():
    gradient, product, *_ = problem()
    half = jax.tree.map(lambda g: g.astype(jnp.bfloat16), gradient)

    def of_halves(v):
        wide = product(jax.tree.map(lambda x: x.astype(jnp.float32), v))
        return jax.tree.map(lambda x: x.astype(jnp.bfloat16), wide)

    tx = relaxed(5.0, ng.Euler())
    found, _ = tx.update(half, tx.init(half), curvature=of_halves)
    assert found["w"].dtype == jnp.bfloat16
    np.testing.assert_allclose(flat(found), first(tx)[0], rtol=0.1, atol=0.01)


# Refusals


def test_without_a_curvature_or_with_another_it_is_refused():
    gradient, tx = problem()[0], relaxed(1.0)
    with pytest.raises(ValueError, match="curvature = None"):
        tx.update(gradient, tx.init(PARAMS))
    with pytest.raises(ValueError, match="curvature returns shapes"):
        tx.update(gradient, tx.init(PARAMS), curvature=lambda v: v["w"])
    with pytest.raises(ValueError, match="loss has shape"):
        ng.gauss_newton(model, lambda z: z, PARAMS)


def test_a_time_without_an_end_takes_the_modes():
    with pytest.raises(ValueError, match="time"):
        relaxed(np.inf, ng.Euler())


@pytest.mark.parametrize("kind", [ng.relaxed, ng.running])
@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("time", -1.0),
        ("time", np.nan),
        ("damping", -0.1),
        ("noise", np.inf),
        ("relaxation", 0.1),
        ("relaxation", ng.Euler),
        ("step", 0.0),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(kind, field, bad):
    good = {"time": 1.0, "key": KEY}
    spoilt = {"relaxation": ng.Euler(step=bad)} if field == "step" else {field: bad}
    with pytest.raises(ValueError, match=field):
        kind(**{**good, **spoilt})


def test_leaves_of_two_precisions_keep_theirs():
    gradient, product, *_ = problem()
    mixed = gradient | {"b": gradient["b"].astype(jnp.bfloat16)}

    def between(v):
        bent = product(v | {"b": v["b"].astype(jnp.float32)})
        return bent | {"b": bent["b"].astype(jnp.bfloat16)}

    tx = relaxed(1.0)
    found, _ = tx.update(mixed, tx.init(mixed), curvature=between)
    assert [found[k].dtype for k in ("b", "w")] == [jnp.bfloat16, jnp.float32]
    np.testing.assert_allclose(found["w"], flat_w(first(tx)[0]), rtol=0.02, atol=0.01)


def flat_w(vector):
    return vector[2:].reshape(3, 2)
