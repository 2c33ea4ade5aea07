"""Converters and mappings of a transformer's arrays, and what its figure says."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import eapu_jax as ej
from eapu_jax.crossbar import is_crossbar
from eapu_jax.placement import on_array
from experiments.deep import language_converters as converters
from experiments.deep import text
from experiments.deep.language_converters_figure import NAMES
from experiments.learning.rules import Bench

SIZES = {"blocks": 1, "width": 16, "heads": 2, "context": 8, "batch_size": 4}


def point(alignment, mapping, **other):
    which = {"alignment": alignment, "mapping": mapping}
    return converters.Converted(**which, **SIZES, **other)


def of_inputs(inputs, alignment, mapping, **other):
    leaf = jax.ShapeDtypeStruct((inputs, 8), jnp.float32)
    return converters._crossbar(point(alignment, mapping, **other), leaf)


def test_every_matrix_has_a_crossbar():
    at = point("aligned", "width_aware")
    paths = list(on_array(text.shapes(at)))
    made = jax.tree.leaves(converters.arrays(at), is_leaf=is_crossbar)
    assert len(paths) == len(made) == 5  # four of the block, and the head


def test_a_width_aware_scale_falls_with_the_root_of_the_inputs():
    """Four SDs of LeCun's weights fill the window of 80; fixed, all are R_wg."""
    for inputs in (16, 64):
        crossbar = of_inputs(inputs, "aligned", "width_aware")
        assert crossbar.r_wg == pytest.approx(4 * inputs**-0.5 / 80)
        assert of_inputs(inputs, "aligned", "fixed").r_wg == 1 / 80


def test_weights_of_either_mapping_end_at_the_same_window():
    for mapping in converters.MAPPINGS:
        crossbar = of_inputs(64, "aligned", mapping)
        far = {"kernel": jnp.full((64, 8), 3.0)}
        with pytest.warns(UserWarning, match="do not fit the array"):
            held, _ = ej.deploy(jr.key(0), crossbar, far)
        np.testing.assert_allclose(held["kernel"], 80 * crossbar.r_wg, rtol=1e-6)


def test_an_aligned_rail_is_that_of_the_logical_output():
    for mapping in converters.MAPPINGS:
        aligned = of_inputs(64, "aligned", mapping)
        assert aligned.periphery.adc.rail * aligned.r_wg == pytest.approx(6)
        fixed = of_inputs(64, "fixed", mapping)
        assert fixed.periphery.adc.rail == pytest.approx(6 * 80)
        assert fixed.periphery.backward_adc.rail == pytest.approx(6 * 80)


@pytest.mark.parametrize("size", [1e-3, 1e3])
def test_aligned_products_and_gradients_scale_with_their_vectors(size):
    """Fixed ones are lost below a step or clipped at the full scale."""

    def both(alignment, size):
        crossbar = of_inputs(16, alignment, "fixed", write_noise=0.0)
        w = {"kernel": jr.normal(jr.key(1), (16, 8)) / 4}
        held, arrays = ej.deploy(jr.key(0), crossbar, w)
        x, dy = (
            size * jr.normal(jr.key(2), (4, 16)),
            size * jr.normal(jr.key(3), (4, 8)),
        )

        def product(x):
            return x @ ej.wrap(held, arrays, jr.key(4), crossbar)["kernel"]

        y, back = jax.vjp(product, x)
        return y, back(dy)[0], x @ held["kernel"], dy @ held["kernel"].T

    for found, once in zip(both("aligned", size), both("aligned", 1.0), strict=True):
        # another size rounds anew: a code of the DAC may be another
        np.testing.assert_allclose(found / size, once, atol=6 * 2 / 255 * 3)
    y, dx, exact_y, exact_dx = both("aligned", size)
    step = 6 / 255 * 3.5 * size  # of 9 bits, rail 6, a vector's largest entry
    np.testing.assert_allclose(y, exact_y, atol=step)
    np.testing.assert_allclose(dx, exact_dx, atol=step)
    y, dx, exact_y, exact_dx = both("fixed", size)
    if size < 1:
        assert not np.any(y)
    else:
        assert np.abs(y).max() <= 4 * 6 + 1e-4
        assert np.abs(dx).max() <= 6 / (4 * 8) + 1e-4
        assert np.abs(exact_y).max() > 100


def test_a_threshold_is_the_error_of_a_write_on_its_matrix():
    for mapping in converters.MAPPINGS:
        at = point("aligned", mapping, write_noise=1.6)
        on = Bench(jr.key(1), jr.key(2), None, 1.6 / 80, 1.0, None)
        gate = converters._own(at)(on)
        update = jax.tree.map(lambda x: jnp.full(x.shape, 1e-3), text.shapes(at))
        sent, _ = gate.update(update, gate.init(update))
        for path, pulses in on_array(sent).items():
            error = 1.6 * converters.scale(at, pulses)
            np.testing.assert_allclose(np.max(pulses), error, rtol=1e-5, err_msg=path)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("adc_bits", {"adc_bits": 1}),
        ("dac_bits", {"dac_bits": 25}),
        ("heads", {"heads": 5}),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(field, bad):
    with pytest.raises(ValueError, match=rf"Config\.{field} = "):
        converters.Config(**bad)


@pytest.mark.parametrize(
    ("bits", "chance", "verdicts"),
    [
        ((4.0, 3.9, 3.5, 3.4), 5.0, ["trend reproduced"] * 2),
        ((4.0, 3.9, 4.1, 4.0), 5.0, ["not reproduced", "trend reproduced"]),
        ((4.0, 3.9, 3.5, 3.6), 5.0, ["trend reproduced", "not reproduced"]),
        ((4.0, 3.9, 3.5, 3.4), 3.45, ["not reproduced", "trend reproduced"]),
        ((4.0, 3.9, 3.5, 3.4), 3.4, ["not reproduced"] * 2),
    ],
)
def test_gains_are_of_nats_after_the_last_epoch(bits, chance, verdicts):
    """Neither, the mapping alone, alignment alone, both; to what beats chance."""
    table = np.array(bits).reshape(2, 2) / np.log(2)
    dims = ("alignment", "mapping", "epoch", "seed")
    kinds = list(converters.ALIGNMENTS), list(converters.MAPPINGS)
    coords = dict(zip(dims, kinds, strict=False))
    values = np.stack([9 - table, table], -1)[..., None] + np.array([0.0, 0.01])
    attrs = {"chance": chance / np.log(2)}
    claims = converters.claims(xr.Dataset({"bits": (dims, values)}, coords, attrs))
    assert [claim.verdict for claim in claims] == verdicts
    assert claims[0].ours == pytest.approx(bits[0] - bits[2])
    assert claims[1].ours == pytest.approx(bits[2] - bits[3])
    assert [claim.published for claim in claims] == [3.79, 0.20]


@pytest.mark.slow
def test_the_smoke_preset_derives_judges_and_draws():
    import chipsweep

    smoke = converters.PRESETS["smoke"]
    found = {k: chipsweep.run(s.spec) for k, s in converters.sweeps(smoke).items()}
    dataset = converters.derive(smoke, found)
    assert len(converters.claims(dataset)) == 2
    assert len(converters.plot(dataset).axes) == 2
    for alignment, mapping in NAMES:
        one = dataset.sel(alignment=alignment, mapping=mapping)
        assert 0 < float(one.update_ratio.max()) < 1
        assert np.isfinite(one.bits).all()
