"""Frozen arrays with low-rank adapters: what learns, what stays, what counts."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej
from tests.statistics import assert_variance

QUIET = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0))
MODEL = {
    "dense": {"kernel": jnp.linspace(-0.5, 0.5, 24).reshape(6, 4), "bias": jnp.zeros(4)}
}
RISE = jnp.outer(jnp.ones(6), jnp.arange(4.0)) / 8


@pytest.fixture(autouse=True)
def as_optax_needs():
    with jax.numpy_dtype_promotion("standard"):
        yield


def rule(adapter, frozen=QUIET, **others):
    return optax.partition(
        {
            "frozen": optax.chain(
                optax.set_to_zero(), ej.program(frozen, key=jr.key(1), **others)
            ),
            "adapter": adapter,
            "digital": optax.sgd(0.1),
        },
        ej.adapter_labels,
    )


def trained(tx, params, steps):
    def loss(params):
        kernel = ej.merged(params)["dense"]["kernel"]
        return jnp.mean((kernel - MODEL["dense"]["kernel"] - RISE) ** 2)

    @jax.jit
    def step(params, state):
        updates, state = tx.update(jax.grad(loss)(params), state, params)
        return optax.apply_updates(params, updates), state

    held = params, tx.init(params)
    for _ in range(steps):
        held = step(*held)
    return *held, float(loss(held[0]))


def test_adapting_changes_nothing_at_first():
    adapted = ej.adapt(jr.key(0), MODEL, 2)
    assert jax.tree.structure(ej.merged(adapted)) == jax.tree.structure(MODEL)
    jax.tree.map(np.testing.assert_array_equal, ej.merged(adapted), MODEL)


def test_the_merged_weight_is_the_frozen_one_and_a_product():
    leaf = ej.adapt(jr.key(0), MODEL, 2)["dense"]["kernel"]
    leaf = leaf._replace(up=jnp.arange(8.0).reshape(2, 4))
    merged = ej.merged({"k": leaf}, scale=0.5)["k"]
    by_hand = np.asarray(leaf.frozen) + 0.5 * np.asarray(leaf.down) @ np.asarray(
        leaf.up
    )
    np.testing.assert_allclose(merged, by_hand, rtol=1e-5)


def test_the_thin_matrix_starts_with_one_over_the_inputs_as_variance():
    leaf = ej.adapt(jr.key(0), jnp.zeros((40, 500)), 40)
    assert_variance(np.asarray(leaf.down).ravel(), 1 / 40)


def test_digital_adapters_learn_and_the_frozen_array_is_never_written():
    params = ej.adapt(jr.key(0), MODEL, 1)
    after, state, loss = trained(rule(optax.adam(0.02)), params, 300)
    assert loss < 1e-3 * float(jnp.mean(RISE**2))
    kernel = after["dense"]["kernel"]
    np.testing.assert_array_equal(kernel.frozen, MODEL["dense"]["kernel"])
    assert list(ej.view(state)) == ["dense/kernel/frozen"]
    assert ej.totals(state) == dict.fromkeys(ej.totals(state), 0)


def test_eapu_on_adapters_writes_them_and_nothing_else():
    on_arrays = optax.chain(
        optax.adam(0.01),
        ej.eapu(1 / 80, key=jr.key(2)),
        ej.program(QUIET, key=jr.key(3)),
    )
    params = ej.adapt(jr.key(0), MODEL, 1)
    _, state, loss = trained(rule(on_arrays), params, 300)
    assert loss < 0.05 * float(jnp.mean(RISE**2))
    writes = ej.writes_per_cell(state)
    assert not writes["dense/kernel/frozen"].any()
    assert writes["dense/kernel/down"].any()
    assert writes["dense/kernel/up"].any()


def test_a_frozen_array_that_leaks_is_followed():
    leaking = ej.Crossbar(
        device=ej.ExponentialRetention(device=QUIET.device, time_constant=1.0)
    )
    tx = rule(optax.set_to_zero(), leaking, step_time=1.0)
    after, _, _ = trained(tx, ej.adapt(jr.key(0), MODEL, 1), 1)
    frozen = after["dense"]["kernel"].frozen
    np.testing.assert_allclose(frozen, MODEL["dense"]["kernel"] / np.e, atol=1e-6)


def test_stacks_of_matrices_have_stacks_of_adapters():
    leaf = ej.adapt(jr.key(0), jnp.zeros((3, 6, 4)), 2)
    assert (leaf.down.shape, leaf.up.shape) == ((3, 6, 2), (3, 2, 4))
    assert ej.merged(leaf).shape == (3, 6, 4)
