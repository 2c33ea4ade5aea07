"""The networks compute what textbooks say, in plain matrices."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from experiments.learning.networks import (
    cnn,
    inner_patches,
    lenet,
    mlp,
    patches,
    sigmoid_mlp,
)


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


def test_inner_patches_times_a_matrix_is_a_convolution_within_the_image():
    x = jr.normal(jr.key(0), (2, 9, 8, 3))
    kernel = jr.normal(jr.key(1), (5, 5, 3, 4))
    how = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
    expected = jax.lax.conv_general_dilated(x, kernel, (1, 1), "VALID", **how)
    product = inner_patches(x, 5) @ kernel.reshape(75, 4)
    np.testing.assert_allclose(product, expected, atol=1e-5)


def test_the_lenet_by_the_operations_of_a_textbook():
    network, x = lenet((2, 3), 6, 4), jr.normal(jr.key(0), (2, 28, 28))
    params = network.init(jr.key(1), x)["params"]
    kernels = [params[f"Dense_{n}"]["kernel"] for n in range(4)]
    how = {"dimension_numbers": ("NHWC", "HWIO", "NHWC")}
    y = x[..., None]
    for kernel, inputs in zip(kernels, (1, 2), strict=False):
        four = kernel.reshape(5, 5, inputs, -1)
        y = jnp.tanh(jax.lax.conv_general_dilated(y, four, (1, 1), "VALID", **how))
        sides = [y[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
        y = jnp.max(jnp.stack(sides), 0)
    y = jnp.tanh(y.reshape(2, -1) @ kernels[2]) @ kernels[3]
    found = network.apply({"params": params}, x)
    np.testing.assert_allclose(found, y, atol=1e-5)


def test_the_sigmoid_mlp_in_plain_matrices():
    network, x = sigmoid_mlp((5, 3)), jr.normal(jr.key(0), (4, 2, 2))
    params = network.init(jr.key(1), x)["params"]
    first, second = (np.array(params[f"Dense_{n}"]["kernel"]) for n in (0, 1))
    hidden = 1 / (1 + np.exp(-x.reshape(4, 4) @ first))
    found = network.apply({"params": params}, x)
    np.testing.assert_allclose(found, hidden @ second, atol=1e-6)


def test_kernels_of_the_older_networks_are_uniform_within_one_over_the_root():
    params = sigmoid_mlp((400, 10)).init(jr.key(0), jnp.zeros((1, 300)))["params"]
    kernel = np.array(params["Dense_0"]["kernel"])
    bound = 1 / np.sqrt(300)
    assert 0.999 * bound < np.abs(kernel).max() <= bound
    assert abs(kernel.std() * np.sqrt(3) / bound - 1) < 5 / np.sqrt(2 * kernel.size)


EVERY = [
    (mlp((6, 10)), 8), (cnn((2, 3), 5), 8), (lenet((2, 3), 5), 28),
    (sigmoid_mlp((6, 10)), 8),
]  # fmt: skip


@pytest.mark.parametrize(("network", "side"), EVERY)
def test_every_weight_is_a_matrix_and_every_bias_a_vector(network, side):
    shapes = jax.eval_shape(network.init, jr.key(0), jnp.zeros((1, side, side, 1)))
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
    assert lenet((2,)) == lenet((2,))
    assert sigmoid_mlp((6, 10)) == sigmoid_mlp((6, 10)) != mlp((6, 10))


def test_kernels_are_kaiming_normal():
    params = mlp((400, 10)).init(jr.key(0), jnp.zeros((1, 300)))["params"]
    kernel = params["Dense_0"]["kernel"]
    assert abs(float(jnp.std(kernel)) / np.sqrt(2 / 300) - 1) < 0.02
    assert not params["Dense_0"]["bias"].any()


@pytest.mark.parametrize("bad", [(), (0,), (5, -1)])
def test_empty_or_negative_widths_are_refused(bad):
    for dense in (mlp, sigmoid_mlp):
        with pytest.raises(ValueError, match="widths"):
            dense(bad)
    for convolutional in (cnn, lenet):
        with pytest.raises(ValueError, match="channels"):
            convolutional(bad)
