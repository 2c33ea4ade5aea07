"""Which leaves live on an array: by path and shape, in every library."""

import equinox as eqx
import jax
import jax.numpy as jnp
import jax.random as jr
import pytest
from flax import linen as nn
from flax import nnx

from eapu_jax import deploy, place, placements, table
from eapu_jax.crossbar import Crossbar
from eapu_jax.placement import on_array, put

KEY, X = jr.key(0), jnp.ones((2, 4, 8))


class Block(nn.Module):
    @nn.compact
    def __call__(self, x, _):
        return nn.LayerNorm()(nn.Dense(8)(x)), None


class Stack(nn.Module):
    @nn.compact
    def __call__(self, x):
        scan = nn.scan(Block, variable_axes={"params": 0}, split_rngs={"params": True},
                       length=3)  # fmt: skip
        return scan(name="layers")(x, None)[0]


def on(tree):
    return sorted(on_array(tree))


@pytest.mark.parametrize(
    ("model", "x", "expected"),
    [(nn.Dense(3), X, ["kernel"]),
     (nn.Conv(3, (3,)), X, ["kernel"]),
     (nn.LayerNorm(), X, []),
     (nn.BatchNorm(use_running_average=True), X, []),
     (nn.Embed(5, 3), jnp.zeros(2, int), []),
     (nn.MultiHeadDotProductAttention(num_heads=2), X,
      ["key/kernel", "out/kernel", "query/kernel", "value/kernel"]),
     (Stack(), X, ["layers/Dense_0/kernel"])],
)  # fmt: skip
def test_kernels_of_linen_layers_live_on_the_array_and_nothing_else(model, x, expected):
    params = model.init(KEY, x).get("params", {})
    assert on(params) == expected


def test_paths_of_an_nnx_state_are_those_of_its_modules():
    class Model(nnx.Module):
        def __init__(self, rngs):
            self.embed = nnx.Embed(5, 8, rngs=rngs)
            self.block = nnx.List([nnx.Linear(8, 4, rngs=rngs)])
            self.norm = nnx.BatchNorm(4, rngs=rngs)
            self.attention = nnx.MultiHeadAttention(
                num_heads=2, in_features=8, decode=False, rngs=rngs
            )

    expected = [f"attention/{n}/kernel" for n in ("key", "out", "query", "value")]
    expected.append("block/0/kernel")
    state = nnx.state(Model(nnx.Rngs(0)), nnx.Param)
    assert on(state) == expected
    assert on(nnx.as_pure(state)) == expected
    held, arrays = deploy(KEY, Crossbar(), state)
    assert sorted(arrays) == expected
    assert jax.tree.structure(held) == jax.tree.structure(state)


@pytest.mark.parametrize(
    ("make", "expected"),
    [(lambda: eqx.nn.Linear(4, 3, key=KEY), ["weight"]),
     (lambda: eqx.nn.Conv2d(1, 8, 3, key=KEY), ["weight"]),
     (lambda: eqx.nn.MLP(4, 3, 8, 1, key=KEY), ["layers/0/weight", "layers/1/weight"]),
     (lambda: eqx.nn.MultiheadAttention(2, 8, key=KEY),
      [f"{n}_proj/weight" for n in ("key", "output", "query", "value")])],
)  # fmt: skip
def test_weights_of_equinox_layers_live_on_the_array_and_nothing_else(make, expected):
    model = make()
    if isinstance(model, eqx.nn.Embedding | eqx.nn.LayerNorm):
        pytest.skip(
            "an equinox table or norm is told from a matrix by a rule of one's own"
        )
    assert on(eqx.filter(model, eqx.is_array)) == expected
    assert on(model) == expected


@pytest.mark.parametrize("shape", [(8,), (8, 1, 1), (2, 4), (3, 6)])
@pytest.mark.parametrize(
    "name", ["bias", "out_bias", "layers/bias", "scale", "in/scale"]
)
def test_biases_and_scales_are_digital_whatever_their_shape(name, shape):
    assert place(name, shape).startswith("digital: ")


def test_plain_lists_and_tuples_are_placed_by_shape():
    tree = [(jnp.ones((4, 3)), jnp.ones(3)), (jnp.ones((3, 2)), jnp.ones(()))]
    assert on(tree) == ["0/0", "1/0"]


def test_a_leaf_alone_has_the_empty_path():
    assert on(jnp.ones((2, 2))) == [""]
    assert on(jnp.ones(2)) == []


def test_a_tied_embedding_goes_on_the_array_by_a_rule_of_ones_own():
    params = nn.Embed(5, 3).init(KEY, jnp.zeros(2, int))
    tied = lambda path, shape: (  # noqa: E731
        "array" if path.endswith("embedding") else place(path, shape)
    )
    assert on_array(params) == {}
    assert list(on_array(params, tied)) == ["params/embedding"]


def test_what_is_no_array_stays_where_it_is():
    tree = {"act": jnp.tanh, "rate": 0.5, "kernel": jnp.ones((2, 2))}
    assert placements(tree) == {
        "act": "digital: no array", "kernel": "array", "rate": "digital: no array",
    }  # fmt: skip
    assert put(tree, {"kernel": 1})["act"] is jnp.tanh


def test_the_table_has_a_row_for_every_leaf():
    params = nn.MultiHeadDotProductAttention(num_heads=2).init(KEY, X)
    rows = table(params).splitlines()
    assert len(rows) == len(jax.tree.leaves(params))
    assert all(("kernel" in row) == row.endswith("array") for row in rows)


def test_an_answer_that_is_neither_is_refused():
    with pytest.raises(ValueError, match=r'must answer "array" or "digital: why"'):
        on_array({"w": jnp.ones((2, 2))}, lambda path, shape: "analog")
