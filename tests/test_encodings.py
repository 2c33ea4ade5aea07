"""How cells stand for weights: there and back, linear, and asked for what is wanted."""

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
    SoftBounds,
    WidthAwareRange,
)
from eapu_jax.array import advance, deploy_one, read, weights, write
from eapu_jax.ledger import value
from tests.statistics import assert_mean, assert_variance
from tests.toys import Inverted

PLAIN = {
    "single": SingleCell(),
    "against a reference": SingleCell(reference=60.0),
    **{p: DifferentialPair(rest=2.0, policy=p) for p in ("plus", "up", "both")},
    "offset column": OffsetColumn(rest=60.0),
    "a stranger's": Inverted(reference=60.0),
}
ENCODINGS = PLAIN | {
    f"3 x {n}": Redundant(within=e, copies=3) for n, e in PLAIN.items()
}
SCALES = {"one": 1 / 80, "per column": jnp.linspace(0.01, 0.03, 4)[None]}
W = jr.normal(jr.key(0), (5, 4))
DW = jnp.where(jr.bernoulli(jr.key(2), 0.6, (5, 4)), jr.normal(jr.key(1), (5, 4)), 0)
every_encoding = pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS)
every_scale = pytest.mark.parametrize("scale", SCALES.values(), ids=SCALES)
QUIET = AdditiveError(write_noise=0.0)


def close(a, b):
    np.testing.assert_allclose(a, b, atol=2e-5)


@every_encoding
@every_scale
def test_cells_stand_for_the_weights_they_were_made_from(encoding, scale):
    close(encoding.to_weights(encoding.to_cells(W, scale), scale), W)


@every_encoding
@every_scale
def test_a_request_changes_the_weights_by_what_was_asked(encoding, scale):
    g = encoding.to_cells(W, scale)
    dg = encoding.request(g, DW, scale)
    assert dg.shape == g.shape
    close(encoding.to_weights(g + dg, scale), W + DW)
    asked = set(np.unique(np.sign(dg))) - {0}
    assert asked <= set(encoding.directions)


@every_encoding
def test_only_weights_that_are_asked_to_change_are_touched(encoding):
    dg = encoding.request(encoding.to_cells(W, 1 / 80), DW, 1 / 80)
    np.testing.assert_array_equal(encoding.touched(dg != 0), DW != 0)


@every_encoding
@every_scale
def test_the_read_out_is_linear_but_for_a_fixed_reference(encoding, scale):
    g, h = (jr.normal(jr.key(k), encoding.to_cells(W, scale).shape) for k in (3, 4))
    read = lambda g: encoding.to_weights(g, scale)  # noqa: E731
    offset = read(jnp.zeros_like(g))
    close(read(2 * g + h) + 2 * offset, 2 * read(g) + read(h))


@every_encoding
def test_currents_are_decoded_like_conductances_row_by_row(encoding):
    g, v = encoding.to_cells(W, 1 / 80), jr.normal(jr.key(3), (3, 5))
    read = lambda g: encoding.to_weights(g, 1 / 80)  # noqa: E731
    current = jnp.einsum("bi,...io->...bo", v, g)
    _, decoded = jax.jvp(read, (jnp.zeros_like(current),), (current,))
    reference = read(jnp.zeros_like(g))
    close(decoded + v @ reference, v @ W)


@every_encoding
def test_the_transposed_read_out_drives_a_transposed_product(encoding):
    g, u = encoding.to_cells(W, 1 / 80), jr.normal(jr.key(3), (5, 4))
    linear = lambda g: jax.jvp(  # noqa: E731
        lambda g: encoding.to_weights(g, 1 / 80), (jnp.zeros_like(g),), (g,)
    )[1]
    drive = jax.linear_transpose(linear, g)(u)[0]
    reference = encoding.to_weights(jnp.zeros_like(g), 1 / 80)
    np.testing.assert_allclose(
        jnp.sum(drive * g) + jnp.sum(u * reference),
        jnp.sum(u * W),
        rtol=1e-4,
        atol=1e-4,
    )


@every_encoding
def test_a_write_to_an_ideal_array_adds_what_was_asked(encoding):
    crossbar = Crossbar(device=QUIET, encoding=encoding)
    state = deploy_one(jr.key(0), crossbar, W)
    after, pulses = jax.jit(write)(jr.key(1), crossbar, state, DW)
    close(weights(crossbar, after), W + DW)
    untouched = ~np.asarray(pulses.sent)
    same = np.asarray(after.cells.g == state.cells.g)
    assert np.all(same[untouched])
    assert value(after.ledger.up) + value(after.ledger.down) == np.sum(~untouched)


class SquareLaw(Inverted):
    """Of which a request depends on where the cell stands: $W = s G^2$."""

    def to_cells(self, w, scale):
        return jnp.sqrt(w / scale)

    def to_weights(self, g, scale):
        return g**2 * scale

    def request(self, g, dw, scale):
        return jnp.sqrt(g**2 + dw / scale) - g


def test_copies_are_asked_for_a_change_of_the_cell_they_stand_for():
    copies, scale = Redundant(within=SquareLaw(), copies=3), 1 / 80
    w, dw = jnp.abs(W), jnp.abs(DW)
    g = copies.to_cells(w, scale)
    close(copies.to_weights(g + copies.request(g, dw, scale), scale), w + dw)


def test_copies_share_their_errors():
    w = jnp.zeros((100, 100))
    crossbar = Crossbar(
        device=AdditiveError(read_noise=4.0), encoding=Redundant(copies=4)
    )
    state = deploy_one(jr.key(0), crossbar, w)
    seen, after = read(jr.key(1), crossbar, state)
    assert_mean(np.ravel(seen), 0.0)
    assert_variance(np.ravel(80 * seen), 4.0**2 / 4)
    assert value(after.ledger.reads) == 1


def test_time_does_not_move_still_cells():
    state = deploy_one(jr.key(0), Crossbar(), W)
    later = advance(jr.key(1), Crossbar(), state, 1e6)
    assert jnp.array_equal(later.cells.g, state.cells.g)
    with pytest.raises(ValueError, match="dt must be >= 0"):
        advance(jr.key(1), Crossbar(), state, -1.0)


# Ranges


@pytest.mark.parametrize("per", ["array", "column"])
@pytest.mark.parametrize("shape", [(5, 4), (3, 3, 2, 4)])
@pytest.mark.parametrize("encoding", [SingleCell(), OffsetColumn(), DifferentialPair()])
def test_the_largest_weight_takes_the_whole_window(per, shape, encoding):
    w = jr.normal(jr.key(0), shape)
    crossbar = Crossbar(r_wg=AbsmaxRange(window=50.0, per=per), encoding=encoding)
    state = deploy_one(jr.key(0), crossbar, w)
    close(weights(crossbar, state), w)
    filled = np.max(np.abs(w / state.scale), axis=(0, *range(1, w.ndim - 1)))
    np.testing.assert_allclose(np.max(filled), 50, rtol=1e-5)
    assert np.allclose(filled, 50) == (per == "column")


def test_weights_of_zero_and_no_weights_have_a_range():
    for w in (jnp.zeros((3, 2)), jnp.zeros((0, 2))):
        for per in ("array", "column"):
            scale = AbsmaxRange(per=per).fit(w)
            assert np.all(np.isfinite(scale))
            assert np.all(scale > 0)


def test_a_width_aware_range_holds_the_initialisation_at_every_width():
    fit = WidthAwareRange(window=80.0, omega=4.0)
    for width in (16, 1024):
        w = jr.normal(jr.key(0), (width, 500)) / np.sqrt(width)
        occupied = np.std(w) / fit.fit(w)
        np.testing.assert_allclose(occupied, 80 / 4, rtol=0.05)


@pytest.mark.parametrize(
    ("make", "said"),
    [(lambda: Crossbar(r_wg=0.0), "r_wg must be > 0"),
     (lambda: Crossbar(r_wg=float("inf")), "r_wg must be finite"),
     (lambda: Crossbar(r_wg=1e-300), "r_wg must be > 0"),
     (lambda: AbsmaxRange(window=0.0), "AbsmaxRange.window must be > 0"),
     (lambda: AbsmaxRange(per="row"), "AbsmaxRange.per must be one of"),
     (lambda: WidthAwareRange(omega=-1.0), "WidthAwareRange.omega must be > 0"),
     (lambda: Redundant(copies=0), "Redundant.copies must be >= 1"),
     (lambda: DifferentialPair(policy="minus"), "DifferentialPair.policy must be"),
     (lambda: DifferentialPair(rest=float("nan")), "DifferentialPair.rest must be"),
     (lambda: SoftBounds(g_min=10.0, g_max=0.0), "SoftBounds.g_min must be below")],
)  # fmt: skip
def test_mappings_that_cannot_be_are_refused_where_they_are_made(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize("bad", [jnp.inf, jnp.nan, 1e38])
def test_weights_that_overflow_their_scale_are_refused(bad):
    crossbar = Crossbar(r_wg=1e-3)
    with pytest.raises(ValueError, match="conductance"):
        deploy_one(jr.key(0), crossbar, jnp.full((2, 2), bad))
