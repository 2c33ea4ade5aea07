"""Who sees whom in a transformer, and pixels that are moved but never mixed."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from experiments.learning import networks as nets
from experiments.learning.networks.attention import Block, SelfAttention, attend
from experiments.learning.networks.resnet import PreActivation
from experiments.learning.networks.super_resolution import enlarged, pixel_shuffle
from experiments.learning.networks.swin_transformer import (
    SwinBlock,
    _merged,
    offsets,
    whole,
    windows,
)
from experiments.learning.networks.vision_transformer import tiles
from tests.deep_networks import filled, shapes_of


def test_attention_is_a_weighted_mean_of_the_values():
    q, k, v = (jr.normal(jr.key(n), (2, 5, 3, 4)) for n in range(3))
    expected = np.empty(v.shape)
    for example in range(2):
        for head in range(3):
            one = [np.array(x[example, :, head], "f8") for x in (q, k, v)]
            weights = np.exp(one[0] @ one[1].T / 2)  # the root of 4
            weights /= weights.sum(-1, keepdims=True)
            expected[example, :, head] = weights @ one[2]
    np.testing.assert_allclose(attend(q, k, v), expected, atol=1e-5)


def test_without_positions_attention_does_not_know_the_order():
    layer, x = SelfAttention(2), jr.normal(jr.key(0), (1, 5, 4))
    variables = filled(shapes_of(layer, x))
    order = jnp.array([3, 0, 4, 1, 2])
    shuffled = layer.apply(variables, x[:, order])
    np.testing.assert_allclose(shuffled, layer.apply(variables, x)[:, order], atol=1e-6)


def test_characters_to_come_or_missing_change_no_logits():
    net = nets.language_model(5, blocks=1, width=4, heads=2, context=7)
    text = jr.randint(jr.key(0), (1, 7), 0, 5)
    variables = filled(shapes_of(net, text))
    apply = jax.jit(net.apply)
    logits = apply(variables, text)
    for place in range(7):
        other = apply(variables, text.at[0, place].set((text[0, place] + 1) % 5))
        changed = np.any(logits != other, axis=(0, 2))
        np.testing.assert_array_equal(changed, np.arange(7) >= place)
    short = jax.jit(net.apply)(variables, text[:, :4])
    np.testing.assert_allclose(short, logits[:, :4], atol=1e-5)


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_windows_are_the_image_cut_and_glued_again(shift):
    x = jnp.arange(2 * 6 * 9 * 2.0).reshape(2, 6, 9, 2)
    cut = windows(x, 3, shift)
    assert cut.shape == (2, 6, 9, 2)  # two rows of three windows, nine places each
    np.testing.assert_array_equal(whole(cut, 6, 9, shift), x)


def test_a_window_is_a_square_of_neighbours():
    x = jnp.arange(16.0).reshape(1, 4, 4, 1)
    np.testing.assert_array_equal(windows(x, 2)[0, 1, :, 0], [2, 3, 6, 7])
    np.testing.assert_array_equal(windows(x, 2, 1)[0, 0, :, 0], [5, 6, 9, 10])


def test_neighbours_are_merged_column_by_column():
    """As the public code of Swin does (RECALLED), so that its weights mean the same."""
    x = jnp.arange(4.0).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(_merged(x).ravel(), [0, 2, 1, 3])


@pytest.mark.parametrize(
    ("shift", "squares"), [(0, [0, 0, 0, 1, 1, 1]), (1, [0, 1, 1, 1, 2, 2])]
)
def test_a_place_is_seen_within_its_square_alone(shift, squares):
    """Shifted windows hold both edges of the image; those must not mix."""
    block, x = SwinBlock(1, 3, shift), jr.normal(jr.key(0), (1, 6, 6, 3))
    variables = filled(shapes_of(block, x))
    places = [(row, column) for row in range(6) for column in range(6)]
    moved = jnp.stack([x[0].at[(*place, 0)].add(1.0) for place in places])
    before, *after = jax.jit(block.apply)(variables, jnp.concatenate([x, moved]))
    alike = np.equal.outer(squares, squares)
    for (row, column), one in zip(places, after, strict=True):
        changed = np.any(np.abs(one - before) > 1e-5, axis=-1)
        np.testing.assert_array_equal(changed, np.outer(alike[row], alike[column]))


def test_a_bias_belongs_to_how_far_apart_two_places_are():
    size, found = 3, {}
    rows = offsets(size)
    places = [(row, column) for row in range(size) for column in range(size)]
    for one, (r, c) in enumerate(places):
        for other, (s, d) in enumerate(places):
            found.setdefault((r - s, c - d), set()).add(int(rows[one, other]))
    assert {len(several) for several in found.values()} == {1}
    assert set.union(*found.values()) == set(range((2 * size - 1) ** 2))


def test_a_class_token_is_one_place_more():
    net = nets.vit(3, patch=2, width=4, blocks=1, heads=1, pool="class")
    variables = filled(shapes_of(net, jnp.zeros((2, 4, 4))))
    assert variables["params"]["position_embedding"].shape == (1, 5, 4)
    assert jax.eval_shape(net.apply, variables, jnp.zeros((2, 4, 4))).shape == (2, 3)


def test_tiles_are_squares_that_do_not_overlap():
    x = jr.normal(jr.key(0), (2, 4, 6, 3))
    for row in range(2):
        for column in range(3):
            square = x[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            found = tiles(x, 2)[:, row, column]
            np.testing.assert_array_equal(found, square.reshape(2, -1))


def test_pixel_shuffle_puts_each_channel_in_its_place():
    x, scale = np.arange(2 * 2 * 3 * 18.0, dtype="f4").reshape(2, 2, 3, 18), 3
    found = np.array(pixel_shuffle(jnp.asarray(x), scale))
    assert found.shape == (2, 6, 9, 2)
    for row, column, colour in np.ndindex(6, 9, 2):
        channel = colour * 9 + row % 3 * 3 + column % 3
        expected = x[:, row // 3, column // 3, channel]
        np.testing.assert_array_equal(found[:, row, column, colour], expected)
    with pytest.raises(ValueError, match=r"channels .* scale\*\*2 = 4, got 18"):
        pixel_shuffle(jnp.asarray(x), 2)


def test_networks_that_have_learnt_nothing_pass_the_image_on():
    x = jr.normal(jr.key(0), (1, 3, 4, 2))
    for net, expected in (
        (nets.dncnn(2, 3), x),
        (nets.srnet((3,), nearest=True), np.kron(x, np.ones((1, 2, 2, 1)))),
    ):
        blank = jax.tree.map(lambda s: jnp.zeros(s.shape), shapes_of(net, x))
        np.testing.assert_array_equal(net.apply(blank, x), expected)
    np.testing.assert_array_equal(enlarged(x, 3), np.kron(x, np.ones((1, 3, 3, 1))))


@pytest.mark.parametrize("branch", ["attention", "feedforward"])
@pytest.mark.parametrize("block", [Block(2, 0.5), SwinBlock(2, 2, 1, 0.5)])
def test_what_a_branch_adds_is_dropped_or_doubled(block, branch):
    """Number by number in a block, and in a Swin block for all of an example."""
    x = jr.normal(jr.key(0), (8, 4, 4) if isinstance(block, Block) else (8, 2, 2, 4))
    params = dict(filled(shapes_of(block, x))["params"])
    for other in {"attention", "feedforward"} - {branch}:
        last = jax.tree.map(jnp.zeros_like, params[other]["out"])
        params[other] = {**params[other], "out": last}

    @jax.jit
    def added():
        dropped = block.apply({"params": params}, x, True, rngs={"dropout": jr.key(1)})
        return dropped - x, block.apply({"params": params}, x) - x

    trained, whole = added()
    kept = np.abs(trained) > 1e-5
    np.testing.assert_allclose(
        trained, np.where(kept, 2 * np.array(whole), 0), atol=1e-5
    )
    if isinstance(block, SwinBlock):
        kept = kept.reshape(8, -1)
        assert (kept.all(1) | ~kept.any(1)).all()
        assert 0 < kept.all(1).sum() < 8
    else:  # 128 coins
        assert abs(kept.mean() - 0.5) < 5 * 0.5 / np.sqrt(kept.size)


@pytest.mark.parametrize("convolutions", [((2, 3, 1),) * 2, ((3, 1, 1), (2, 3, 1))])
def test_a_block_whose_last_kernel_is_zero_is_the_identity(convolutions):
    block, x = PreActivation(convolutions), jr.normal(jr.key(0), (2, 4, 4, 2))
    variables = without_the_last(filled(shapes_of(block, x)))
    assert "shortcut" not in variables["params"]
    np.testing.assert_array_equal(block.apply(variables, x), x)


def test_where_the_shape_changes_it_is_the_shortcut():
    block, x = PreActivation(((3, 3, 2), (3, 3, 1))), jr.normal(jr.key(0), (2, 4, 4, 2))
    variables = without_the_last(filled(shapes_of(block, x)))
    norm = {kind: variables[kind]["norm_0"] for kind in ("params", "batch_stats")}
    mean, bias = (
        np.array(n) for n in (norm["batch_stats"]["mean"], norm["params"]["bias"])
    )
    shown = np.maximum((np.array(x) - mean) / np.sqrt(1 + 1e-5) + bias, 0)
    expected = shown[:, ::2, ::2] @ np.array(variables["params"]["shortcut"]["kernel"])
    np.testing.assert_allclose(block.apply(variables, x), expected, atol=1e-6)


def without_the_last(variables):
    params = dict(variables["params"])
    last = max(name for name in params if name.startswith("conv"))
    params[last] = jax.tree.map(jnp.zeros_like, params[last])
    return {**variables, "params": params}
