"""A convolution of patches and one matrix is the convolution, on arrays too."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import eapu_jax as ej
from eapu_jax.flax import through_arrays
from experiments.learning.networks import Conv
from experiments.learning.networks.conv import convolve

CASES = [(size, stride) for size in (1, 3, 5, 9) for stride in (1, 2)]


def whole_numbers(seed, shape):
    """Small ones: every sum of products of them is exact in float32."""
    return jr.randint(jr.key(seed), shape, -3, 4).astype(jnp.float32)


def textbook(x, kernel, size, stride):
    half = size // 2
    return jax.lax.conv_general_dilated(
        x,
        kernel.reshape(size, size, x.shape[-1], -1),
        (stride, stride),
        [(half, half), (half, half)],
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


@pytest.mark.parametrize(("size", "stride"), CASES)
def test_it_is_the_convolution_and_so_are_its_gradients(size, stride):
    x = whole_numbers(0, (2, 7, 6, 3))
    kernel = whole_numbers(1, (size * size * 3, 4))
    back = whole_numbers(2, (2, -(-7 // stride), -(-6 // stride), 4))

    def with_gradients(how):
        y, pull = jax.vjp(lambda x, k: how(x, k, size, stride), x, kernel)
        return y, *pull(back)

    found, expected = jax.jit(
        lambda: (with_gradients(convolve), with_gradients(textbook))
    )()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("platform", ["cpu", "cuda"])
def test_a_cpu_multiplies_patches_and_an_accelerator_convolves(platform):
    """For several chips too, and where the backward pass computes the forward anew."""

    @jax.checkpoint
    def loss(x, kernel):
        return jnp.sum(convolve(x, kernel) ** 2)

    shapes = [
        jax.ShapeDtypeStruct(s, jnp.float32) for s in ((5, 2, 6, 6, 3), (5, 27, 4))
    ]
    traced = jax.jit(jax.vmap(jax.grad(loss, (0, 1)))).trace(*shapes)
    text = traced.lower(lowering_platforms=(platform,)).as_text()
    assert ("stablehlo.convolution" in text) == (platform == "cuda")
    assert ("stablehlo.dot_general" in text) == (platform == "cpu")


def test_the_layer_adds_its_bias_to_every_channel():
    x, layer = whole_numbers(0, (1, 5, 5, 2)), Conv(3, 3)
    params = {"kernel": whole_numbers(1, (18, 3)), "bias": jnp.arange(3.0)}
    expected = np.array(textbook(x, params["kernel"], 3, 1)) + np.arange(3)
    np.testing.assert_array_equal(layer.apply({"params": params}, x), expected)


def test_the_layer_multiplies_in_the_type_it_is_told():
    x, layer = whole_numbers(0, (1, 5, 5, 2)), Conv(3, dtype=jnp.bfloat16)
    shapes = jax.eval_shape(layer.init, jr.key(0), x)["params"]
    assert {s.dtype for s in jax.tree.leaves(shapes)} == {jnp.dtype("float32")}
    params = {"kernel": whole_numbers(1, (18, 3)), "bias": jnp.zeros(3)}
    y = layer.apply({"params": params}, x)
    assert y.dtype == jnp.bfloat16
    rounded = textbook(x, params["kernel"], 3, 1).astype(jnp.bfloat16)
    np.testing.assert_array_equal(y, rounded)


@pytest.mark.parametrize("stride", [1, 2])
def test_it_goes_through_an_array_and_so_does_its_gradient(stride):
    x, layer = jr.normal(jr.key(0), (2, 6, 6, 2)), Conv(3, 3, stride)
    kernel = 0.3 * jr.normal(jr.key(1), (18, 3))
    params = {"kernel": kernel, "bias": jnp.zeros(3)}
    crossbar = ej.Crossbar()
    held, arrays = ej.deploy(jr.key(2), crossbar, params)

    def loss(params, apply):
        y = apply({"params": params}, x)
        return jnp.sum(y**2), y

    def through(params):
        analog = ej.wrap(params, arrays, jr.key(3), crossbar)
        return loss(analog, through_arrays(layer.apply))

    (_, y), grads = jax.jit(jax.value_and_grad(through, has_aux=True))(held)
    plain = jax.jit(jax.value_and_grad(lambda p: loss(p, layer.apply), has_aux=True))
    (_, expected), wanted = plain(held)
    np.testing.assert_allclose(y, expected, atol=1e-5)
    for name in params:
        np.testing.assert_allclose(grads[name], wanted[name], atol=1e-3, rtol=1e-4)


def test_a_worn_array_changes_the_product():
    """It is the cells that multiply, not the parameters beside them."""
    x, layer, crossbar = jnp.ones((1, 4, 4, 2)), Conv(3), ej.Crossbar()
    params = {"kernel": 0.1 * jnp.ones((18, 3)), "bias": jnp.zeros(3)}
    _, arrays = ej.deploy(jr.key(2), crossbar, params)
    other = {**params, "kernel": 2 * params["kernel"]}
    analog = ej.wrap(other, arrays, jr.key(3), crossbar)
    y = through_arrays(layer.apply)({"params": analog}, x)
    np.testing.assert_allclose(y, layer.apply({"params": params}, x), atol=1e-5)


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        (Conv(0), "features must be .* 1, got 0"),
        (Conv(3, 4), "size must be odd, got 4"),
        (Conv(3, -1), "size must be .* 1, got -1"),
        (Conv(3, 3, 0), "stride must be .* 1, got 0"),
    ],
)
def test_sizes_that_cannot_be_are_refused(layer, named):
    with pytest.raises(ValueError, match=named):
        jax.eval_shape(layer.init, jr.key(0), jnp.zeros((1, 4, 4, 1)))
