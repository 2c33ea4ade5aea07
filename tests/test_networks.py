"""The networks compute what textbooks say, in plain matrices."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from experiments.learning.networks import cnn, mlp, patches


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("side", [7, 8])
def test_patches_times_a_matrix_is_a_convolution(side, stride):
    x = jr.normal(jr.key(0), (2, side, side, 3))
    kernel = jr.normal(jr.key(1), (3, 3, 3, 4))
    expected = jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        [(1, 1), (1, 1)],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    product = patches(x, 3, stride) @ kernel.reshape(27, 4)
    np.testing.assert_allclose(product, expected, atol=1e-5)


def test_mlp_is_affine_maps_with_relu_between():
    network = mlp((5, 3))
    x = jr.normal(jr.key(0), (4, 2, 2))
    params = network.init(jr.key(1), x)["params"]
    first, second = params["Dense_0"], params["Dense_1"]
    hidden = np.maximum(x.reshape(4, 4) @ first["kernel"], 0)  # biases start at 0
    logits = network.apply({"params": params}, x)
    np.testing.assert_allclose(logits, hidden @ second["kernel"], atol=1e-6)


@pytest.mark.parametrize("network", [mlp((6, 10)), cnn((2, 3), 5)])
def test_every_weight_is_a_matrix_and_every_bias_a_vector(network):
    shapes = jax.eval_shape(network.init, jr.key(0), jnp.zeros((1, 8, 8, 1)))
    assert {"/".join(p): s.ndim for p, s in _flat(shapes)} == {
        "/".join(p): 2 if p[-1] == "kernel" else 1 for p, _ in _flat(shapes)
    }


def _flat(tree):
    leaves = jax.tree.leaves_with_path(tree)
    return [([str(k.key) for k in path], leaf) for path, leaf in leaves]


def test_networks_built_alike_are_the_same_static_argument():
    assert hash(mlp((6, 10))) == hash(mlp((6, 10)))
    assert mlp((6, 10)) == mlp((6, 10)) != mlp((7, 10))
    assert cnn((2,)) == cnn((2,))


def test_kernels_are_kaiming_normal():
    params = mlp((400, 10)).init(jr.key(0), jnp.zeros((1, 300)))["params"]
    kernel = params["Dense_0"]["kernel"]
    assert abs(float(jnp.std(kernel)) / np.sqrt(2 / 300) - 1) < 0.02
    assert not params["Dense_0"]["bias"].any()


@pytest.mark.parametrize("bad", [(), (0,), (5, -1)])
def test_empty_or_negative_widths_are_refused(bad):
    with pytest.raises(ValueError, match="widths"):
        mlp(bad)
    with pytest.raises(ValueError, match="channels"):
        cnn(bad)
