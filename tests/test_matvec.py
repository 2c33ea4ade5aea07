"""Products through an array: Ohm's and Kirchhoff's laws, and what blurs them."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from eapu_jax import (
    AbsmaxRange,
    AdditiveError,
    Crossbar,
    DifferentialPair,
    OffsetColumn,
    Redundant,
    SingleCell,
)
from eapu_jax.array import deploy_one, weights
from eapu_jax.matvec import matvec, matvec_transposed
from eapu_jax.periphery import Adc, Dac, Periphery
from eapu_jax.periphery.lines import line_currents
from eapu_jax.product_counts import product_counts
from tests.statistics import assert_mean

ROWS, COLUMNS, BATCH = 12, 7, 5
ENCODINGS = {
    "single": SingleCell(),
    "against a reference": SingleCell(reference=100.0),
    "pair": DifferentialPair(rest=1.0),
    "offset column": OffsetColumn(rest=100.0),
    "redundant pairs": Redundant(within=DifferentialPair(), copies=3),
}
every_encoding = pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS)
every_gradient = pytest.mark.parametrize("gradient", ["array", "exact"])


def layer(crossbar, dtype=jnp.float32):
    """An array, its weights, and vectors."""
    w = 0.5 * jr.normal(jr.key(1), (ROWS, COLUMNS), dtype)
    x = jr.normal(jr.key(2), (BATCH, ROWS), dtype)
    return deploy_one(jr.key(0), crossbar, w), w, x


def crossbar_of(encoding=SingleCell(), sigma=0.0, **periphery):  # noqa: B008
    return Crossbar(
        device=AdditiveError(read_noise=sigma),
        encoding=encoding,
        periphery=Periphery(**periphery),
    )


def close(a, b, rtol=1e-6):
    """Equal to `rtol` of the largest."""
    np.testing.assert_allclose(a, b, atol=rtol * float(np.max(np.abs(b))), rtol=0)


# Ideal arrays


@every_encoding
@pytest.mark.parametrize("tile", [None, (5, 7), (5, 12)])
def test_an_ideal_array_is_the_plain_product(encoding, tile):
    crossbar = crossbar_of(encoding, tile=tile)
    state, w, x = layer(crossbar)
    close(matvec(jr.key(3), crossbar, state, w, x), x @ w, 2e-6)


@every_encoding
def test_the_transposed_product_drives_the_columns(encoding):
    crossbar = crossbar_of(encoding, tile=(5, 7))
    state, w, _ = layer(crossbar)
    u = jr.normal(jr.key(4), (BATCH, COLUMNS))
    close(matvec_transposed(jr.key(3), crossbar, state, w, u), u @ w.T, 2e-6)


def test_tiles_across_do_not_change_an_ideal_product():
    crossbar = crossbar_of(DifferentialPair(), tile=(5, 3))
    state, w, x = layer(crossbar)
    close(matvec(jr.key(3), crossbar, state, w, x), x @ w, 2e-6)
    back = jax.grad(lambda x: jnp.sum(matvec(jr.key(3), crossbar, state, w, x) ** 2))
    close(back(x), 2 * (x @ w) @ w.T, 5e-6)


def test_every_column_may_have_its_own_scale():
    crossbar = Crossbar(r_wg=AbsmaxRange(per="column"), encoding=DifferentialPair())
    state, w, x = layer(crossbar)
    close(matvec(jr.key(3), crossbar, state, w, x), x @ w, 2e-6)
    u = x[:, :COLUMNS]
    close(matvec_transposed(jr.key(3), crossbar, state, w, u), u @ w.T, 2e-6)


def test_the_cells_are_multiplied_not_the_parameters():
    crossbar = crossbar_of()
    state, w, x = layer(crossbar)
    y = matvec(jr.key(3), crossbar, state, w + 1, x)
    close(y, x @ weights(crossbar, state), 2e-6)


def test_axes_of_heads_are_columns_or_rows_as_asked():
    w = jr.normal(jr.key(1), (4, 2, 3))
    crossbar = crossbar_of(OffsetColumn(), sigma=0.1)
    state = deploy_one(jr.key(0), crossbar, w)
    split = matvec(jr.key(3), crossbar, state, w, jnp.ones((5, 4)))
    merge = matvec(jr.key(3), crossbar, state, w, jnp.ones((5, 4, 2)), inputs=2)
    assert split.shape == (5, 2, 3)
    assert merge.shape == (5, 3)
    back = matvec_transposed(jr.key(3), crossbar, state, w, jnp.ones((5, 2, 3)))
    assert back.shape == (5, 4)


@every_gradient
def test_half_precision_stays_half_precision(gradient):
    crossbar = crossbar_of(sigma=0.1, dac=Dac(), adc=Adc())
    state, w, x = layer(crossbar, jnp.bfloat16)
    f = lambda w, x: matvec(jr.key(3), crossbar, state, w, x, gradient=gradient)  # noqa: E731
    y, back = jax.vjp(f, w, x)
    assert {a.dtype for a in (y, *back(y))} == {jnp.dtype(jnp.bfloat16)}
    np.testing.assert_allclose(
        y.astype(float), (x @ w).astype(float), atol=0.05 * float(jnp.max(jnp.abs(y)))
    )


# Converters


@pytest.mark.parametrize("aligned", [True, False])
def test_the_error_of_a_dac_is_at_most_half_a_step_per_input(aligned):
    full_scale = None if aligned else 4.0
    crossbar = crossbar_of(dac=Dac(bits=5, full_scale=full_scale))
    state, w, x = layer(crossbar)
    off = np.abs(matvec(jr.key(3), crossbar, state, w, x) - x @ w)
    c = np.max(np.abs(x), 1, keepdims=True) if aligned else 4.0
    assert np.all(off <= c / 30 * np.sum(np.abs(w), 0) + 1e-5)
    assert np.max(off) > 0.01


@pytest.mark.parametrize("rows", [ROWS, 5, 4])
def test_every_tile_adds_at_most_half_a_step_of_its_adc(rows):
    crossbar = crossbar_of(adc=Adc(bits=6, rail=400.0), tile=(rows, COLUMNS))
    state, w, x = layer(crossbar)
    off = np.abs(matvec(jr.key(3), crossbar, state, w, x) - x @ w)
    half = 400 / 62 / 80
    assert np.all(off <= -(-ROWS // rows) * half + 1e-5)
    assert np.max(off) > half / 2


def test_an_adc_clips_at_its_rails():
    crossbar = crossbar_of(adc=Adc(bits=8, rail=8.0))
    state, w, x = layer(crossbar)
    y = matvec(jr.key(3), crossbar, state, w, 100 * x)
    close(np.abs(y), np.full(y.shape, 0.1), 1e-5)


# Read noise


def spread(crossbar, key, n=4000, **options):
    state, w, x = layer(crossbar)
    f = lambda k: matvec(k, crossbar, state, w, x[:2], **options)  # noqa: E731
    return np.asarray(jax.jit(jax.vmap(f))(jr.split(key, n))) - np.asarray(
        x[:2] @ w
    ), x[:2]


@pytest.mark.parametrize("noise", ["fresh", "shared"])
@pytest.mark.parametrize(
    ("encoding", "cells"),
    [(SingleCell(), 1), (DifferentialPair(), 2), (OffsetColumn(), 2),
     (Redundant(within=DifferentialPair(), copies=4), 0.5)],
)  # fmt: skip
def test_read_noise_of_a_product_is_that_of_its_cells_together(noise, encoding, cells):
    errors, x = spread(crossbar_of(encoding, 3.0), jr.key(5), noise=noise)
    expected = cells * np.sum(np.square(np.asarray(x)), 1) * (3 / 80) ** 2
    squares = np.square(errors[:, :, 0])
    assert_mean(errors[:, :, 0], 0.0)
    assert_mean(squares, expected)


def test_noise_of_a_reference_column_is_common_to_all_columns():
    errors, x = spread(crossbar_of(OffsetColumn(), 3.0), jr.key(5))
    common = np.asarray(errors[:, 0, 0] * errors[:, 0, 1])
    assert_mean(common, np.sum(np.square(x[0])) * (3 / 80) ** 2)


def test_cells_of_unlike_noise_add_their_own():
    sigma = jnp.linspace(0.0, 4.0, ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    crossbar = crossbar_of(sigma=sigma, tile=(5, 3))
    errors, x = spread(crossbar, jr.key(5))
    expected = np.square(x) @ np.square(sigma / 80)
    assert_mean(np.square(errors), expected)
    state, w, _ = layer(crossbar)
    u = jnp.ones((1, COLUMNS))
    f = lambda k: matvec_transposed(k, crossbar, state, w, u)  # noqa: E731
    back = np.asarray(jax.vmap(f)(jr.split(jr.key(6), 4000))) - np.asarray(u @ w.T)
    assert_mean(np.square(back[:, 0]), np.sum(np.square(sigma / 80), 1))


def test_stuck_cells_make_no_read_noise():
    stuck = jnp.full((ROWS, COLUMNS), 8.0)
    crossbar = Crossbar(device=AdditiveError(read_noise=3.0), stuck_at=stuck)
    state, w, x = layer(crossbar)
    for noise in ("fresh", "shared"):
        y = matvec(jr.key(3), crossbar, state, w, x, noise=noise)
        close(y, x @ jnp.full((ROWS, COLUMNS), 0.1), 1e-5)


@pytest.mark.parametrize("noise", ["fresh", "shared"])
def test_shared_noise_is_one_read_for_all_vectors_and_both_ways(noise):
    crossbar = crossbar_of(sigma=3.0)
    state, w, _ = layer(crossbar)
    f = lambda x: matvec(jr.key(3), crossbar, state, w, x, noise=noise)  # noqa: E731
    same, back = jax.vjp(f, jnp.eye(ROWS))
    twice = f(jnp.concatenate([jnp.eye(ROWS)] * 2))
    assert np.allclose(twice[:ROWS], twice[ROWS:]) == (noise == "shared")
    rows_read_backwards = back(jnp.ones_like(same))[0][0]
    agrees = np.allclose(rows_read_backwards, same.sum(1), atol=1e-5)
    assert agrees == (noise == "shared")


# Gradients

FULL = {
    "dac": Dac(bits=None, full_scale=8.0),
    "adc": Adc(bits=None, rail=900.0),
    "tile": (5, 7),
}


def loss(crossbar, state, w, x, **options):
    return jnp.sum(jnp.sin(matvec(jr.key(3), crossbar, state, w, x, **options)))


@pytest.mark.parametrize("noise", ["fresh", "shared"])
def test_exact_gradients_are_finite_differences_of_the_frozen_noise(x64, noise):
    crossbar = crossbar_of(DifferentialPair(), 2.0, **FULL)
    w = 0.5 * jr.normal(jr.key(1), (ROWS, COLUMNS))
    state, x = deploy_one(jr.key(0), crossbar, w), jr.normal(jr.key(2), (2, ROWS))
    f = lambda state, x: loss(crossbar, state, w, x, gradient="exact", noise=noise)  # noqa: E731
    g_state, g_x = jax.grad(f, (0, 1), allow_int=True)(state, x)
    dg, dx = jr.normal(jr.key(7), state.cells.g.shape), jr.normal(jr.key(8), x.shape)
    h = 1e-5
    moved = [
        f(state._replace(cells=state.cells._replace(g=state.cells.g + s * h * dg)),
          x + s * h * dx) for s in (1, -1)
    ]  # fmt: skip
    slope = np.sum(g_state.cells.g * dg) + np.sum(g_x * dx)
    np.testing.assert_allclose((moved[0] - moved[1]) / (2 * h), slope, rtol=1e-6)


@every_gradient
@pytest.mark.parametrize("noise", ["fresh", "shared"])
def test_the_gradient_in_the_read_noise_is_a_finite_difference(x64, gradient, noise):
    w = 0.5 * jr.normal(jr.key(1), (ROWS, COLUMNS))
    x = jr.normal(jr.key(2), (2, ROWS))
    state = deploy_one(jr.key(0), crossbar_of(), w)

    def f(sigma):
        return loss(crossbar_of(sigma=sigma), state, w, x, gradient=gradient,
                    noise=noise)  # fmt: skip

    slope = jax.grad(f)(2.0)
    difference = (f(2.0 + 1e-5) - f(2.0 - 1e-5)) / 2e-5
    np.testing.assert_allclose(slope, difference, rtol=1e-6)
    np.testing.assert_allclose(jax.jvp(f, (2.0,), (1.0,))[1], difference, rtol=1e-6)
    assert abs(slope) > 1e-3


@every_gradient
def test_forward_and_reverse_mode_agree(gradient):
    crossbar = crossbar_of(DifferentialPair(), dac=Dac(), adc=Adc(), tile=(5, 7))
    state, w, x = layer(crossbar)
    f = lambda w, x: loss(crossbar, state, w, x, gradient=gradient)  # noqa: E731
    slopes = jax.grad(f, (0, 1))(w, x)
    tangents = (jr.normal(jr.key(7), w.shape), jr.normal(jr.key(8), x.shape))
    _, forward = jax.jvp(f, (w, x), tangents)
    reverse = sum(jnp.sum(s * t) for s, t in zip(slopes, tangents, strict=True))
    np.testing.assert_allclose(forward, reverse, rtol=1e-4)


@every_gradient
def test_gradients_go_straight_through_quantisers(gradient):
    crossbar = crossbar_of(dac=Dac(), adc=Adc(rail=4000.0))
    state, w, x = layer(crossbar)
    f = lambda w, x: jnp.sum(  # noqa: E731
        matvec(jr.key(3), crossbar, state, w, x, gradient=gradient)
    )
    slope_w, slope_x = jax.grad(f, (0, 1))(w, x)
    np.testing.assert_allclose(slope_w[:, 0], jnp.sum(x, 0), atol=0.1)
    close(slope_x, np.broadcast_to(jnp.sum(w, 1), x.shape), 1e-4)


def test_the_way_back_passes_its_own_converters_and_noise():
    crossbar = crossbar_of(
        sigma=2.0, backward_dac=Dac(bits=2), backward_adc=Adc(bits=4, rail=100.0)
    )
    state, w, x = layer(crossbar)
    y, back = jax.vjp(lambda x: matvec(jr.key(3), crossbar, state, w, x), x)
    ct = jr.normal(jr.key(9), y.shape)
    largest = np.max(np.abs(ct), 1, keepdims=True)
    steps = np.asarray(back(ct)[0]) / largest / (100 / 7 / 80)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    assert np.max(np.abs(back(ct)[0] - ct @ w.T)) > 0.02


def test_a_rail_can_be_learnt():
    state, w, x = layer(crossbar_of())

    def off(rail):
        crossbar = crossbar_of(adc=Adc(bits=5, rail=rail))
        return jnp.mean((matvec(jr.key(3), crossbar, state, w, x) - x @ w) ** 2)

    too_narrow, too_wide = jax.grad(off)(20.0), jax.grad(off)(20_000.0)
    assert too_narrow < 0 < too_wide


# Wires


def nodal(g, v, r):
    """The circuit as a dense matrix of its nodes, in NumPy."""
    n, m = g.shape
    a, b = np.zeros((2 * n * m,) * 2), np.zeros(2 * n * m)
    word = lambda i, j: i * m + j  # noqa: E731
    bit = lambda i, j: n * m + i * m + j  # noqa: E731

    def between(p, q, s):
        for here, there in ((p, q), (q, p)):
            a[here, here] += s
            a[here, there] -= s

    wire = 1e6 / r  # µS
    for i in range(n):
        for j in range(m):
            between(word(i, j), bit(i, j), g[i, j])
            if j:
                between(word(i, j), word(i, j - 1), wire)
            if i:
                between(bit(i, j), bit(i - 1, j), wire)
        a[word(i, 0), word(i, 0)] += wire
        b[word(i, 0)] = wire * v[i]
    for j in range(m):
        a[bit(n - 1, j), bit(n - 1, j)] += wire
    volts = np.linalg.solve(a, b)
    return wire * volts[[bit(n - 1, j) for j in range(m)]]


def wired(resistance, encoding=DifferentialPair(rest=1.0), **periphery):  # noqa: B008
    return crossbar_of(encoding, line_resistance=resistance, **periphery)


@pytest.mark.parametrize("resistance", [1.0, 100.0, 3000.0])
def test_wires_obey_the_nodal_equations(resistance):
    crossbar = wired(resistance)
    state, w, x = layer(crossbar)
    y = jax.jit(matvec, static_argnames="gradient")(jr.key(3), crossbar, state, w, x)
    g = np.asarray(state.cells.g, float)
    plus, minus = (np.array([nodal(p, v, resistance) for v in x]) for p in g)
    close(y, (plus - minus) / 80, 1e-4)


def test_every_tile_has_wires_of_its_own():
    crossbar, w = wired(2000.0, tile=(2, 3)), jnp.linspace(-0.5, 0.4, 24).reshape(4, 6)
    state, v = deploy_one(jr.key(0), crossbar, w), np.array([1.0, -0.5, 0.25, 2.0])
    y = matvec(jr.key(3), crossbar, state, w, jnp.asarray(v, jnp.float32)[None])
    g = np.asarray(state.cells.g, float)
    plus, minus = (
        sum(
            np.hstack([nodal(p[r : r + 2, c : c + 3], v[r : r + 2], 2000.0)
                       for c in (0, 3)])
            for r in (0, 2)
        )
        for p in g
    )  # fmt: skip
    close(y[0], (plus - minus) / 80, 1e-5)


def test_wires_without_resistance_are_the_plain_product():
    encoding = SingleCell(reference=150.0)
    crossbar = wired(1e-4, encoding, tile=(5, 3))
    state, w, x = layer(crossbar)
    close(matvec(jr.key(3), crossbar, state, w, x), x @ w, 2e-5)


@pytest.mark.slow
def test_driving_the_bit_lines_is_reciprocal_to_driving_the_word_lines():
    crossbar = wired(500.0, tile=(5, 3))
    state, w, x = layer(crossbar)
    forward = matvec(jr.key(3), crossbar, state, w, jnp.eye(ROWS))
    back = matvec_transposed(jr.key(3), crossbar, state, w, jnp.eye(COLUMNS))
    close(back, forward.T, 1e-4)
    assert np.max(np.abs(forward - w)) > 0.01
    for gradient in ("array", "exact"):

        @jax.jit
        def pull(x, gradient=gradient):
            y, back = jax.vjp(
                lambda x: matvec(jr.key(3), crossbar, state, w, x, gradient=gradient), x
            )
            return y, back(y)[0]

        y, pulled = pull(x)
        close(pulled, y @ forward.T, 1e-4)


def test_the_gradient_in_the_resistance_is_a_finite_difference(x64):
    w = 0.5 * jr.normal(jr.key(1), (ROWS, COLUMNS))
    x = jr.normal(jr.key(2), (2, ROWS))
    state = deploy_one(jr.key(0), wired(1.0), w)
    f = jax.jit(jax.value_and_grad(lambda r: loss(wired(r), state, w, x)))
    slope = (f(100.0 + 1e-3)[0] - f(100.0 - 1e-3)[0]) / 2e-3
    np.testing.assert_allclose(f(100.0)[1], slope, rtol=1e-4)


def test_wires_between_negative_conductances_are_not_a_number():
    crossbar = wired(1.0, SingleCell())
    state, w, x = layer(crossbar)
    assert np.all(np.isnan(matvec(jr.key(3), crossbar, state, w, x)))


def test_a_wire_of_negative_resistance_is_refused():
    with pytest.raises(ValueError, match="resistance must be >= 0, got -1"):
        line_currents(jnp.ones((2, 2)), jnp.ones(2), -1.0)


# Populations, counts, bad input


@every_gradient
def test_many_chips_are_each_their_own(gradient):
    crossbar = crossbar_of(DifferentialPair(), 2.0, dac=Dac(), adc=Adc(), tile=(5, 7))
    state, w, x = layer(crossbar)

    def slope(key):
        f = lambda x: jnp.sum(  # noqa: E731
            matvec(key, crossbar, state, w, x, gradient=gradient) ** 2
        )
        return jax.grad(f)(x)

    keys = jr.split(jr.key(4), 3)
    chips = jax.jit(jax.vmap(slope))(keys)
    np.testing.assert_allclose(chips[1], slope(keys[1]), rtol=1e-4, atol=1e-4)
    assert not np.allclose(chips[0], chips[1])


def test_conversions_are_counted_from_shapes():
    tiled = Periphery(tile=(128, 64))
    pairs = Crossbar(encoding=DifferentialPair(), periphery=tiled)
    shapes = {"a": (300, 100), "conv": (3, 3, 8, 16)}
    counts = product_counts(pairs, shapes, {"a": 64, "conv": 64 * 28 * 28})
    places = 64 * 28 * 28
    assert counts.macs == 64 * 2 * 30_000 + places * 2 * 72 * 16
    assert counts.dac == 64 * 2 * 300 + places * 72
    assert counts.adc == 64 * 3 * 100 + places * 16


def test_fewer_than_no_vectors_are_refused():
    with pytest.raises(ValueError, match="vectors of 'a' must be >= 0, got -1"):
        product_counts(Crossbar(), {"a": (3, 2)}, {"a": -1})


@pytest.mark.parametrize(
    ("options", "said"),
    [({"gradient": "none"}, "gradient must be one of"),
     ({"noise": "some"}, "noise must be one of"),
     ({"inputs": 2}, "0 < inputs < 2"), ({"inputs": 0}, "0 < inputs < 2")],
)  # fmt: skip
def test_unknown_options_of_a_product_are_refused(options, said):
    crossbar = crossbar_of()
    state, w, x = layer(crossbar)
    with pytest.raises(ValueError, match=said):
        matvec(jr.key(3), crossbar, state, w, x, **options)


@pytest.mark.parametrize("product", [matvec, matvec_transposed])
def test_a_product_draws_from_one_typed_key(product):
    state, w, x = layer(crossbar_of())
    vectors = x if product is matvec else x @ w
    for key in (7, jnp.zeros(2, jnp.uint32), jr.split(jr.key(0), 2)):
        with pytest.raises(ValueError, match=r"key must be (a typed|one) key"):
            product(key, crossbar_of(), state, w, vectors)


def test_shapes_that_do_not_fit_are_refused():
    crossbar = crossbar_of()
    state, w, x = layer(crossbar)
    with pytest.raises(ValueError, match="x must end in the axes"):
        matvec(jr.key(3), crossbar, state, w, x[:, 1:])
    with pytest.raises(ValueError, match="w must have the shape"):
        matvec(jr.key(3), crossbar, state, w[1:], x[:, 1:])
    small = crossbar_of(OffsetColumn(), tile=(5, 3))
    state = deploy_one(jr.key(0), small, w)
    with pytest.raises(ValueError, match="adds a column"):
        matvec(jr.key(3), small, state, w, x)


def test_a_batch_of_any_axes_is_a_batch_of_vectors():
    crossbar = crossbar_of(dac=Dac())
    state, w, x = layer(crossbar)
    y = matvec(jr.key(3), crossbar, state, w, x)
    one = matvec(jr.key(3), crossbar, state, w, x[0])
    many = matvec(jr.key(3), crossbar, state, w, x[:4].reshape(2, 2, ROWS))
    close(one, y[0])
    close(many.reshape(4, -1), y[:4])
