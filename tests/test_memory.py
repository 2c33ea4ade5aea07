"""Digital numbers beside the arrays: counted by hand from what each rule keeps."""

import jax
import jax.numpy as jnp
import jax.random as jr
import optax
import pytest

import eapu_jax as ej

KEY = jr.key(0)
W = {"dense": {"kernel": jnp.zeros((8, 4)), "bias": jnp.zeros(4)}, "out": jnp.ones(3)}
ARRAY = ej.program(ej.Crossbar(), key=KEY)


def memory(*links, w=W):
    tx = optax.chain(*links)
    return tuple(ej.digital_words(tx.init(w), w))


@pytest.mark.parametrize(
    ("links", "words", "bits"),
    [
        ([optax.sgd(0.1)], 0, 0),
        ([optax.sgd(0.1, momentum=0.9)], 1, 32),
        ([optax.sgd(0.1, momentum=0.9, accumulator_dtype=jnp.bfloat16)], 1, 16),
        ([optax.adam(0.1)], 2, 64),
        ([optax.adam(0.1, mu_dtype=jnp.bfloat16)], 2, 48),
        ([optax.lion(0.1)], 1, 32),
        ([ej.manhattan(0.1)], 0, 0),
        ([ej.eapu(0.1, key=KEY)], 0, 0),
        ([ej.stochastic_rounding(0.1, key=KEY)], 0, 0),
        ([ej.pulse_train(0.1, 4, key=KEY)], 0, 0),
        ([ej.stochastic_sparse(0.1, key=KEY)], 1, 32),
        ([ej.mixed_precision(0.1)], 1, 32),
        ([optax.adam(0.1), ej.mixed_precision(0.1)], 3, 96),
        ([ej.eapu_residual(0.1, 0, key=KEY)], 0, 0),
        ([ej.eapu_residual(0.1, 1, key=KEY)], 1, 1),
        ([optax.adam(0.1), ej.eapu_residual(0.1, 5, key=KEY)], 3, 69),
        ([ej.hidden_integer(0.1, 256, 4)], 1, 8),
        ([ej.hidden_integer(0.1, 257, 4, key=KEY)], 1, 9),
        ([optax.inject_hyperparams(optax.adam)(0.1)], 2, 64),
    ],
)
def test_words_and_bits_per_weight(links, words, bits):
    assert memory(*links, ARRAY) == (words, bits)
    assert memory(*links) == (words, bits)
    assert memory(*links, ARRAY, w=jnp.zeros((5, 7))) == (words, bits)


def test_only_what_belongs_to_the_array_counts_however_it_is_wrapped():
    mask = {"dense": {"kernel": True, "bias": False}, "out": False}
    rule = optax.chain(optax.adam(0.1), ej.mixed_precision(0.1))
    assert memory(optax.masked(rule, mask)) == (3, 96)
    labels = {"dense": {"kernel": "a", "bias": "b"}, "out": "b"}
    parts = optax.partition({"a": rule, "b": optax.adam(0.1)}, labels)
    assert memory(parts) == (3, 96)
    several = optax.MultiSteps(optax.adam(0.1), every_k_schedule=2)
    assert tuple(ej.digital_words(several.init(W), W)) == (3, 96)  # its mean, too
    digital = lambda path, _: "array" if path == "out" else "digital: no"  # noqa: E731
    tx = ej.eapu_residual(0.1, 5, key=KEY, place=digital)
    assert tuple(ej.digital_words(tx.init(W), W, place=digital)) == (1, 5)


def test_factored_moments_are_counted_by_their_size():
    w = {"kernel": jnp.zeros((256, 128))}
    tx = optax.adafactor(0.1, multiply_by_parameter_scale=False)
    words, bits = memory(tx, w=w)
    # a row, a column, and the single number that it keeps in place of all
    assert words == (256 + 128 + 1) / (256 * 128)
    assert bits == 32 * words


def test_names_that_end_alike_are_told_apart():
    """Only the longest path is the owner: "bias" of "a/bias" is digital here."""
    w = {"kernel": jnp.zeros((2, 2)), "a": {"kernel": jnp.zeros(9)}}
    assert memory(optax.adam(0.1), w=w) == (2, 64)


def test_many_arrays_share_a_mean_and_many_chips_have_it_in_common():
    w = {"a": jnp.zeros((4, 4)), "b": jnp.zeros((4, 8)).astype(jnp.bfloat16)}
    _, bits = memory(optax.sgd(0.1, momentum=0.9), w=w)
    assert bits == (16 * 32 + 32 * 16) / 48

    def chip(key):
        tx = optax.chain(optax.adam(0.1), ej.eapu_residual(0.1, 3, key=key), ARRAY)
        return tx.init(W)

    chips = jax.vmap(chip)(jr.split(KEY, 5))
    many = jax.tree.map(lambda x: jnp.stack([x] * 5), W)
    per_chip = {"dense": {"kernel": "array", "bias": "digital: no"}, "out": "digital: "}
    place = lambda path, _: per_chip["dense"].get(path[6:], "digital: no")  # noqa: E731
    assert tuple(ej.digital_words(chips, many, place=place)) == (3, 67)


@pytest.mark.slow
def test_training_does_not_change_the_count():
    tx = optax.chain(optax.adam(0.1), ej.eapu_residual(0.1, 3, key=KEY), ARRAY)
    state = tx.init(W)
    with jax.numpy_dtype_promotion("standard"):  # Adam's
        _, state = tx.update(jax.tree.map(jnp.ones_like, W), state, W)
    assert tuple(ej.digital_words(state, W)) == (3, 67)


def test_without_an_array_there_is_nothing_to_share_among():
    with pytest.raises(ValueError, match="params must hold at least one weight"):
        ej.digital_words((), {"bias": jnp.ones(3)})
