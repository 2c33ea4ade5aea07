"""Deep networks have the published weights; what has no meaning is refused."""

import jax
import jax.numpy as jnp
import jax.random as jr
import pytest

from eapu_jax.placement import on_array
from experiments.learning import networks as nets


def shapes_of(net, x):
    return jax.eval_shape(net.init, jr.key(0), x)


PUBLISHED = {  # STATED in the EaPU authors' code, but for the last: DERIVED
    "resnet34": (nets.resnet34(), (1, 32, 32, 3), 21_265_088),
    "resnet152": (nets.resnet152(), (1, 32, 32, 3), 58_189_504),
    "srresnet": (nets.srresnet(), (1, 24, 24, 3), 1_542_528),
    "dncnn": (nets.dncnn(), (1, 40, 40, 1), 9 * 64 * (1 + 15 * 64 + 1)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_array_weights_are_as_many_as_published(name):
    net, shape, expected = PUBLISHED[name]
    params = shapes_of(net, jnp.zeros(shape))["params"]
    assert sum(leaf.size for leaf in on_array(params).values()) == expected


def test_swin_has_the_published_weights_if_tables_of_bias_are_counted():
    params = shapes_of(nets.swin(), jnp.zeros((1, 224, 224, 3)))["params"]
    two_axes = sum(p.size for p in jax.tree.leaves(params) if p.ndim > 1)
    assert two_axes == 27_531_546  # STATED: the authors' code goes by axes alone
    tables = 13**2 * (2 * 3 + 2 * 6 + 6 * 12 + 2 * 24)
    on_arrays = sum(leaf.size for leaf in on_array(params).values())
    assert (on_arrays, tables) == (27_531_546 - tables, 23_322)


def vit(**sizes):
    return lambda: nets.vit(**sizes)


def called(net, shape, dtype=jnp.float32):
    return lambda: shapes_of(net, jnp.zeros(shape, dtype))


REFUSED = [
    (
        lambda: nets.basic_resnet((1, 1), (8,)),
        r"depths and widths .* one length.*\(8,\)",
    ),
    (lambda: nets.basic_resnet((), ()), r"depths must be .* at least 1, got \(\)"),
    (lambda: nets.resnet34(0), "classes must be .* at least 1, got 0"),
    (lambda: nets.small_resnet(9), r"layers must be 6 n \+ 2, got 9"),
    (lambda: nets.small_resnet(2), "layers must be .* at least 8, got 2"),
    (vit(width=10, heads=4), "width must be a multiple of heads = 4, got 10"),
    (vit(dropout=1.0), "dropout must be from 0 to below 1, got 1.0"),
    (vit(pool="max"), "pool must be one of .*mean.*, got 'max'"),
    (called(nets.vit(), (1, 8, 10)), "width of the image .* patch = 4, got 10"),
    (called(nets.vit(), (8, 8)), r"images must be \(batch, h, w\[, c\]\)"),
    (called(nets.swin(), (1, 32, 224)), r"height .*stages - 1\) = 224, got 32"),
    (
        lambda: nets.swin(heads=(3, 6, 12, 23)),
        "width of stage 4 .* heads = 23, got 768",
    ),
    (lambda: nets.swin(window=1), "window must be .* at least 2, got 1"),
    (lambda: nets.swin(heads=(3,)), "depths and heads must be of one length"),
    (lambda: nets.swin(drop_path=-0.1), "drop_path must be from 0"),
    (lambda: nets.language_model(65, heads=3), "width must .* heads = 3, got 128"),
    (
        called(nets.language_model(5, context=4), (1, 5), jnp.int32),
        "text must have 1 to 4 characters, got 5",
    ),
    (called(nets.language_model(5), (1, 5)), "whole numbers .*, got float32"),
    (lambda: nets.srresnet(size=4), "size must be odd, got 4"),
    (lambda: nets.srnet(scale=1), "scale must be .* at least 2, got 1"),
    (lambda: nets.dncnn(1), "depth must be .* at least 2, got 1"),
    (
        called(nets.autoencoder(), (1, 6, 8, 1)),
        r"height .* 2\*\*len\(widths\) = 4, got 6",
    ),
]


@pytest.mark.parametrize(("attempt", "named"), REFUSED)
def test_what_cannot_be_built_is_refused_by_name(attempt, named):
    with pytest.raises(ValueError, match=named):
        attempt()
