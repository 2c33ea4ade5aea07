"""Operations per joule are counts times constants; the order of things is lawful."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import chipsweep
from eapu_jax import cost
from experiments.claims import VERDICTS
from experiments.memristor import silicon, tops_per_watt, tops_per_watt_figure
from experiments.memristor.technologies import ADC_BITS, TECHNOLOGIES, machine
from tests.figure_laws import lawful, speaks

CONFIG = tops_per_watt.PRESETS["smoke"]
KNOWN = cost.read_constants()
ACTIVITY = {"low": 0.25, "value": 0.5, "high": 1.0}
ROW = {"low": 0.0375e-12, "value": 0.417e-12, "high": 0.417e-12}


def product(technology="neurram", adc_bits=8, **other):
    point = tops_per_watt.Product(technology=technology, adc_bits=adc_bits, **other)
    return tops_per_watt.simulate(point, 0, None)


@pytest.fixture(scope="module")
def dataset():
    (one,) = tops_per_watt.sweeps(CONFIG).values()
    return tops_per_watt.derive(CONFIG, {"products": chipsweep.run(one.spec)})


# Constants


@pytest.mark.parametrize(
    ("name", "volts", "seconds", "ohms"),
    [
        ("read_neurram", 0.5, 10e-9, 250e3),
        ("read_isaac", 0.2, 1e-9, 1.33e3),
        ("read_ecram", 0.5, 5e-9, 625e3),
        ("read_neurosim", 0.5, 2e-9, 6e3),
    ],
)
def test_a_read_is_what_its_source_gives(name, volts, seconds, ohms):
    np.testing.assert_allclose(KNOWN[name].value, volts**2 * seconds / ohms, rtol=0.005)
    assert KNOWN["read_any"].low <= KNOWN[name].value <= KNOWN["read_any"].high


TOPS = {3: 43.1, 4: 40.3, 5: 23.1, 6: 16.0, 8: 8.26, 10: 6.44}
"""Of NeuRRAM, as published, by bits of an output."""


@pytest.mark.parametrize("bits", TOPS)
def test_the_parts_of_neurram_are_its_operations_per_joule(bits):
    """Published side by side; at 8 bits they differ by 11 % as they were noted."""
    np.testing.assert_allclose(
        silicon.tops(f"mac_neurram_{bits}_bit"), TOPS[bits], rtol=3e-3
    )
    parts = 1e3 / sum(silicon.NEURRAM[bits])
    off = 0.112 if bits == 8 else 0.0
    np.testing.assert_allclose(parts, TOPS[bits] * (1 + off), rtol=0.02)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("mac_macro_28_nm", 35.6), ("mac_afpr_cim", 19.9),
        ("mac_spiking_magnetic", 243.6), ("mac_in_cache", 491.8),
        ("gpu_h100_fp8_sparse_mac", 3958 / 700), ("gpu_h100_fp8_mac", 1978.9 / 700),
    ],
)  # fmt: skip
def test_published_operations_per_joule_are_kept_as_energies(name, published):
    np.testing.assert_allclose(silicon.tops(name), published, rtol=5e-3)


@pytest.mark.parametrize(
    ("bits", "node", "picojoules"),
    [
        (8, 32, 1.7), (8, 65, 6.5), (8, 130, 24), (8, 180, 44),
        (4, 32, 0.92), (4, 65, 3.5), (4, 130, 13), (4, 180, 24),
    ],
)  # fmt: skip
def test_the_regression_gives_the_energies_that_were_noted(bits, node, picojoules):
    found = cost.converter(bits, node)
    np.testing.assert_allclose(1e12 * found.value, picojoules, rtol=0.02)


def test_a_bit_and_a_node_more_take_what_the_regression_says():
    """Half its ratio in decibels is left of a bit; a node counts to the power 1.88."""
    for bits in range(4, 10):
        ratio = cost.converter(bits + 1, 65.0).value / cost.converter(bits, 65.0).value
        expected = 10 ** ((6.02 - 3.2205) / 10) * (bits / (bits + 1)) ** 2.829
        np.testing.assert_allclose(ratio, expected, rtol=1e-9)
    ratio = cost.converter(8, 180.0).value / cost.converter(8, 45.0).value
    np.testing.assert_allclose(ratio, 4**1.880, rtol=1e-9)


@pytest.mark.parametrize("bits", [b for b in ADC_BITS if b != 8])
def test_the_highest_energy_of_a_converter_is_the_regression_at_180_nm(bits):
    high = KNOWN[f"adc_{bits}_bit"].high
    np.testing.assert_allclose(high, cost.converter(bits, 180.0).value, rtol=5e-3)


@pytest.mark.parametrize("bad", [{"bits": 3}, {"bits": 11}, {"node": 0}, {"node": 181}])
def test_converters_beyond_the_regression_are_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        cost.converter(**({"bits": 8, "node": 65.0} | bad))


# Products


@pytest.mark.parametrize("bits", [4, 10])
@pytest.mark.parametrize("side", [32, 256])
def test_full_arrays_by_hand(bits, side):
    """Two cells a weight, a pulse and a conversion a bit and row, one a column."""
    found = product("neurram", bits, side=side)
    pulses, adc = bits - 2, cost.converter(bits, 130.0).value
    energies = []
    for n, end in enumerate(ACTIVITY):
        by_hand = (
            2 * pulses * ACTIVITY[end] * 10e-15, pulses * ROW[end] / side, adc / side,
        )  # fmt: skip
        np.testing.assert_allclose(found["parts"][:, n], 1e12 * np.array(by_hand))
        energies.append(sum(by_hand))
    np.testing.assert_allclose(found["full"], 2e-12 / np.array(energies[::-1]), 1e-6)


def test_a_network_shares_its_converters_less():
    """784-30-10 on arrays of 100: eight rows of arrays, then one; counted by hand."""
    found = product("isaac", 8, side=100, hidden=(30,))
    macs = 784 * 30 + 30 * 10
    dac, adc = 784 + 30, 8 * 30 + 10
    energies = [
        2 * 6 * ACTIVITY[end] * 30e-15 + (dac * 6 * ROW[end] + adc * 1.67e-12) / macs
        for end in ("high", "value", "low")
    ]
    np.testing.assert_allclose(found["network"], 2e-12 / np.array(energies), 1e-6)


def test_the_unknown_cell_of_eapu_spans_all_that_are_known():
    found = product("eapu", 6, side=64)["parts"][0]
    np.testing.assert_allclose(found, 1e3 * 2 * 4 * np.array([0.5, 5.0, 83.3]) * 1e-6)


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_more_bits_take_more_and_larger_arrays_less(technology):
    bits = np.array([product(technology, b)["full"] for b in ADC_BITS])
    assert (np.diff(bits, axis=0) < 0).all()
    sides = np.array([product(technology, 8, side=2**n)["full"] for n in range(3, 12)])
    assert (np.diff(sides, axis=0) > 0).all()


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_a_network_never_does_better_than_full_arrays(technology):
    for side in (32, 256, 1024):
        found = product(technology, 8, side=side)
        assert (found["network"] < found["full"]).all()
        assert (np.diff(found["full"]) >= 0).all()  # lowest, value, highest


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_no_array_does_better_than_its_cells_alone(dataset, technology):
    """What converters add in energy falls as the rows that share them rise."""
    at = dataset.sel(technology=technology, adc_bits=8)
    assert (at.full < at.alone).all()
    added = [
        1 / product(technology, 8, side=side)["full"] - 1 / at.alone.values
        for side in (64, 128, 1024)
    ]
    np.testing.assert_allclose(added[0], 2 * added[1], rtol=1e-6)
    np.testing.assert_allclose(added[0], 16 * added[2], rtol=1e-6)


@pytest.mark.parametrize("bits", ADC_BITS)
def test_the_best_converter_is_no_worse_than_any_as_wide(bits):
    best = TECHNOLOGIES["best"].adc(bits)
    wider = [KNOWN[f"adc_{b}_bit"].low for b in ADC_BITS if b >= bits]
    assert best.low == best.value == best.high == min(wider)


def test_what_is_not_priced_stays_as_the_library_has_it():
    on = machine("isaac", 8, 6)
    assert (on.pulse, on.memory) == (cost.machine().pulse, cost.machine().memory)


# What is judged and drawn


def test_shares_are_of_the_whole(dataset):
    at = dataset.sel(technology="neurram", adc_bits=8, side=256)
    array, inputs, outputs = at.parts.values
    ends = 100 * array / (array + (inputs + outputs)[::-1])
    np.testing.assert_allclose(at.share, ends)


def test_the_claims_are_computed(dataset):
    found = {c.claim: c for c in tops_per_watt.claims(dataset)}
    assert {c.verdict for c in found.values()} <= set(VERDICTS)

    def one(start):
        return next(c for name, c in found.items() if name.startswith(start))

    neurram = one("NeuRRAM, 8 bits out, 6 in, 256 x 256: operations per joule")
    assert math.isclose(neurram.published, 8.26, rel_tol=3e-3)
    ours = dataset.full.sel(technology="neurram", adc_bits=8, side=256).values
    assert (neurram.low, neurram.ours, neurram.high) == tuple(ours)
    card = one("an H200")
    np.testing.assert_allclose((card.low, card.high), (1.41, 5.65), rtol=0.01)
    assert card.verdict == "not reproduced"  # 6 is more than any data sheet says


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, "trend reproduced"), (9.0, "not reproduced")]
)
def test_silicon_is_judged_by_the_band(dataset, factor, verdict):
    at = {"technology": "neurram", "adc_bits": 8, "side": 256}
    ends = factor * 8.26 * np.array([0.5, 1.0, 2.0])
    full = dataset.full.copy(deep=True)
    full.loc[at] = xr.DataArray(ends, dims="end")
    claims = tops_per_watt.claims(dataset.assign(full=full))
    start = "NeuRRAM, 8 bits out, 6 in, 256 x 256: operations per joule"
    assert [c.verdict for c in claims if c.claim.startswith(start)] == [verdict]


def test_silicon_is_not_judged_at_another_size_or_with_other_inputs(dataset):
    config = replace(CONFIG, headroom=1)
    (one,) = tops_per_watt.sweeps(config).values()
    other = tops_per_watt.derive(config, {"products": chipsweep.run(one.spec)})
    for not_alike in (dataset.sel(side=[32]), other):
        claims = tops_per_watt.claims(not_alike)
        assert not [c for c in claims if c.claim.startswith("NeuRRAM")]
    assert (other.full < dataset.full).all()  # a bit more in


def test_the_figure_is_drawn_of_what_was_derived(dataset):
    assert all("units" in dataset[v].attrs for v in dataset.data_vars)
    kept = dataset.copy(deep=True)
    figure = tops_per_watt.plot(dataset)
    lawful(figure)
    speaks(tops_per_watt_figure.says, dataset)
    assert len(figure.axes) == 4
    assert dataset.identical(kept)
    other = dataset.measured.copy(data=[np.nan, np.nan])
    small = tops_per_watt.plot(dataset.sel(side=[32]).assign(measured=other))
    labels = small.axes[0].get_legend_handles_labels()[1]
    assert not any(label.startswith("published") for label in labels)


def test_a_sweep_of_strangers_gives_the_same_numbers():
    """Traced, as `python -m experiments sweep` has it."""
    base = tops_per_watt.defaults(CONFIG)
    axes = {"technology": ["isaac", "best"]}
    found = chipsweep.sweep(tops_per_watt.simulate, axes, base=base)
    for name in axes["technology"]:
        point = replace(base, technology=name)
        alone = tops_per_watt.simulate(SimpleNamespace(**vars(point)), 0, None)
        np.testing.assert_allclose(
            found.full.sel(technology=name).values.ravel(), alone["full"], rtol=1e-6
        )


@pytest.mark.parametrize(
    "bad",
    [
        {"adc_bits": (3,)}, {"adc_bits": (8, 8)}, {"sides": ()}, {"sides": (0,)},
        {"headroom": 0}, {"headroom": 4}, {"hidden": ()},
    ],
)  # fmt: skip
def test_a_config_that_makes_no_sense_is_refused(bad):
    with pytest.raises(ValueError, match=rf"Config\.{next(iter(bad))}"):
        tops_per_watt.Config(**bad)
