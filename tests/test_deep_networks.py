"""What holds for every deep network, at a tiny width."""

from functools import cache

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from eapu_jax.placement import on_array
from experiments.learning import networks as nets
from tests.deep_networks import TINY, example, filled, shapes_of

DROPS = ("vit", "swin", "language")
NORMS = ("basic", "bottleneck", "srresnet", "dncnn")


@cache
def compiled(name):
    """One step of training and one look, in one program."""
    net = TINY[name][0]

    def one_step(variables, key, x):
        def loss(params):
            every = {**variables, "params": params}
            y, new = net.apply(
                every, x, True, rngs={"dropout": key}, mutable=["batch_stats"]
            )
            return jnp.sum(y**2), (y, new)

        grads, (y, new) = jax.grad(loss, has_aux=True)(variables["params"])
        seen, same = net.apply(variables, x, mutable=["batch_stats"])
        return {"y": y, "new": new, "grads": grads, "seen": seen, "same": same}

    return jax.jit(one_step)


@cache
def stepped(name, seed=0):
    x = example(name)
    variables = filled(shapes_of(TINY[name][0], x))
    return variables, compiled(name)(variables, jr.key(seed), x)


@pytest.mark.parametrize("name", TINY)
def test_one_step_of_training_moves_every_parameter(name):
    _, found = stepped(name)
    assert found["y"].shape == found["seen"].shape == TINY[name][2]
    assert found["y"].dtype == jnp.float32
    for path, grad in jax.tree.leaves_with_path(found["grads"]):
        assert np.isfinite(grad).all(), path
        assert np.any(grad), path


@pytest.mark.parametrize("name", TINY)
def test_matrices_are_kernels_and_kernels_are_on_arrays(name):
    params = stepped(name)[0]["params"]
    paths = jax.tree.leaves_with_path(params)
    kernels = {"/".join(k.key for k in p): x for p, x in paths if p[-1].key == "kernel"}
    assert on_array(params).keys() == kernels.keys()
    assert {kernel.ndim for kernel in kernels.values()} == {2}


@pytest.mark.parametrize("name", TINY)
def test_statistics_of_batches_change_when_training_alone(name):
    variables, found = stepped(name)
    assert ("batch_stats" in variables) == (name in NORMS)
    before = variables.get("batch_stats", {})
    jax.tree.map(
        np.testing.assert_array_equal, before, found["same"].get("batch_stats", {})
    )
    moved = jax.tree.map(
        lambda old, new: np.any(old != new), before, found["new"].get("batch_stats", {})
    )
    assert all(jax.tree.leaves(moved))


@pytest.mark.parametrize("name", TINY)
def test_dropout_draws_when_training_alone(name):
    one, other = (stepped(name, seed)[1] for seed in (0, 1))
    np.testing.assert_array_equal(one["seen"], other["seen"])
    assert np.any(one["y"] != other["y"]) == (name in DROPS)


def test_running_means_take_a_tenth_of_each_batch():
    """Of the first norm of a block, whose input is the stem's product."""
    variables, found = stepped("bottleneck")
    x, kernel = example("bottleneck"), variables["params"]["stem"]["kernel"]
    batch = nets.Conv(2, use_bias=False).apply({"params": {"kernel": kernel}}, x)
    old, new = (
        s["batch_stats"]["block_0"]["norm_0"]["mean"] for s in (variables, found["new"])
    )
    expected = 0.9 * old + 0.1 * batch.mean((0, 1, 2))
    np.testing.assert_allclose(new, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", TINY)
def test_networks_built_alike_are_the_same_static_argument(name):
    net = TINY[name][0]
    assert hash(net) == hash(net.copy())
    assert net == net.copy()
