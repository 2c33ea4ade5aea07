"""Converters and the bounds of all that stands around the cells."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

from eapu_jax import Crossbar
from eapu_jax.periphery import Adc, Dac, Periphery, line_currents
from eapu_jax.periphery.converters import quantise
from tests.statistics import assert_mean, assert_variance

ONE = jnp.ones(())


@pytest.mark.parametrize("bits", [2, 4, 9])
def test_a_quantiser_has_two_to_the_bits_less_one_levels(bits):
    levels = np.unique(quantise(jnp.linspace(-2, 2, 20_001), bits, ONE))
    assert len(levels) == 2**bits - 1
    np.testing.assert_allclose(levels, -levels[::-1], atol=1e-7)
    np.testing.assert_allclose(np.diff(levels), 2 / (2**bits - 2), atol=1e-6)


@pytest.mark.parametrize("bits", [2, 5, 12])
def test_the_error_inside_the_rails_is_at_most_half_a_step_and_without_bias(bits):
    x = jr.uniform(jr.key(0), (100_000,), minval=-1, maxval=1)
    off = np.asarray(quantise(x, bits, ONE) - x)
    step = 1 / (2 ** (bits - 1) - 1)
    assert np.max(np.abs(off)) <= step / 2 + 1e-7
    assert_mean(off, 0.0)
    assert_variance(off, step**2 / 12)


def test_ties_go_to_the_even_level():
    halves = jnp.arange(-6.5, 7.0)
    levels = np.asarray(quantise(halves, 4, 7 * ONE))
    assert np.all(levels % 2 == 0)


def test_the_slope_is_one_up_to_the_rails_and_zero_beyond():
    slope = jax.vmap(jax.grad(lambda x: quantise(x, 3, ONE)))
    np.testing.assert_array_equal(
        slope(jnp.array([-1.1, -1.0, -0.3, 0.0, 0.7, 1.0, 1.1])), [0, 1, 1, 1, 1, 1, 0]
    )


def test_the_slope_in_the_rail_is_one_beyond_and_counts_the_rounding_inside():
    slope = jax.grad(lambda rail, x: quantise(x, 3, rail))
    np.testing.assert_allclose([slope(1.0, 2.0), slope(1.0, -2.0)], [1, -1], rtol=1e-6)
    np.testing.assert_allclose(slope(1.0, 0.4), (1 - 1.2) / 3, rtol=1e-5)


def test_an_aligned_dac_uses_its_whole_range_for_every_vector():
    x = jr.normal(jr.key(0), (50, 8)) * 10.0 ** jnp.arange(-25.0, 25.0)[:, None]
    v, c = Dac(bits=6).convert(x)
    np.testing.assert_allclose(np.max(np.abs(v), 1), 1)
    np.testing.assert_allclose(c[:, 0], np.max(np.abs(x), 1))
    assert not np.any(Dac().convert(jnp.zeros((2, 3)))[0])


@pytest.mark.parametrize("make", [Dac, Adc])
@pytest.mark.parametrize("bits", [1, 0, -3, 25, 2.0, True, "8"])
def test_bits_out_of_range_are_refused_where_the_converter_is_made(make, bits):
    with pytest.raises(ValueError, match=rf"{make.__name__}\.bits must be"):
        make(bits=bits)


@pytest.mark.parametrize(
    ("make", "options", "said"),
    [(Dac, {"full_scale": 0.0}, "Dac.full_scale must be > 0"),
     (Adc, {"rail": -1.0}, "Adc.rail must be > 0"),
     (Adc, {"rail": float("inf")}, "Adc.rail must be finite"),
     (Periphery, {"line_resistance": -1.0}, "Periphery.line_resistance must be >= 0"),
     (Periphery, {"tile": (0, 4)}, "Periphery.tile must be >= 1"),
     (Periphery, {"tile": 128}, "Periphery.tile must be"),
     (Periphery, {"adc": 8}, "Periphery.adc must be"),
     (Periphery, {"dac": Dac}, "Periphery.dac must be"),
     (Periphery, {"dac": Adc()}, "Periphery.dac must be"),
     (Crossbar, {"periphery": Adc()}, "Crossbar.periphery must be")],
)  # fmt: skip
def test_constants_out_of_bounds_are_refused_by_name(make, options, said):
    with pytest.raises(ValueError, match=said):
        make(**options)


def test_one_cell_divides_the_voltage_with_its_two_wires():
    current = line_currents(jnp.full((1, 1), 100.0), jnp.ones(1), 2500.0)
    np.testing.assert_allclose(current, [1e6 / (1e4 + 2 * 2500)], rtol=1e-6)


def test_wires_take_away_current_and_the_far_corner_loses_most():
    g = jnp.full((16, 16), 50.0)
    alone = jax.vmap(lambda v: line_currents(g, v, 50.0))(jnp.eye(16))
    assert np.all(alone < 50)
    assert np.all(np.diff(alone[:, 0]) > 0)
    assert np.all(np.diff(alone[0]) < 0)
