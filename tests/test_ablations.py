"""Additions to EaPU: thresholds that move or differ, and gains at equal writes."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

from experiments.deep import ablated, ablations, text
from experiments.learning.rules import Bench

N, DW, THETA = 40_000, 2e-3, 0.02


def ratios(variant, point, steps):
    """Fraction of N cells that a gate writes at some of its steps, and the pulses."""
    on = Bench(jr.key(1), jr.key(2), None, THETA, 1.0, None)
    gate = ablated.VARIANTS[variant](point)(on)
    update = jax.tree.map(lambda x: jnp.full(x.shape, DW), text.shapes(point))
    update |= {"many": {"kernel": jnp.full((N // 100, 100), DW)}}
    state, turn, found = gate.init(update), jax.jit(gate.update), []
    for _ in range(steps):
        sent, state = turn(update, state)
        found.append(sent["many"]["kernel"])
    return found


@pytest.mark.parametrize(("variant", "power"), [("falling", -1), ("rising", 1)])
def test_a_threshold_moves_fourfold_around_its_own_over_the_training(variant, power):
    point = ablated.Varied(
        n_train=8, batch_size=1, epochs=1, blocks=1, width=4, heads=1, context=4
    )
    for step, pulses in enumerate(ratios(variant, point, 8)):
        theta = THETA * 4 ** (power * (step / 8 - 0.5))
        written = pulses[pulses != 0]
        np.testing.assert_allclose(written, theta, rtol=1e-5)
        p = DW / theta
        assert abs(len(written) / N - p) < 5 * (p * (1 - p) / N) ** 0.5


def test_each_layer_of_its_own_has_the_error_of_its_arrays():
    """A layer with four times the inputs has half the scale, and half the threshold."""
    point = ablated.Varied(blocks=1, width=16, heads=2, context=8, write_noise=1.6)
    chip = ablated._width_aware(point)
    shapes = text.shapes(point)
    on = Bench(jr.key(1), jr.key(2), None, point.write_noise * point.r_wg, 1.0, None)
    gate = ablated.VARIANTS["own"](point)(on)
    update = jax.tree.map(lambda x: jnp.full(x.shape, 1e-3), shapes)
    sent, _ = gate.update(update, gate.init(update))
    block = sent["block_0"]
    for name in ("qkv", "out"):
        inner = block["attention"][name]["kernel"]
        np.testing.assert_allclose(np.max(inner), 1.6 * chip.fit(inner), rtol=1e-6)
        np.testing.assert_allclose(np.max(inner), 0.02, rtol=1e-6)
    wide = block["feedforward"]["out"]["kernel"]
    np.testing.assert_allclose(np.max(wide), 1.6 * chip.fit(wide), rtol=1e-6)
    np.testing.assert_allclose(np.max(wide), 0.01, rtol=1e-6)


def test_a_gain_is_against_plain_eapu_at_the_same_writes():
    """Plain: half a bit per decade of writes. A variant: a tenth better than that."""
    strength = [0.5, 1.0, 2.0, 4.0]
    writes = np.array([1000.0, 100.0, 10.0, 1.0])
    plain = 4 - 0.5 * np.log10(writes)
    fewer = np.array([100.0, 10.0, 0.1, np.nan])
    better = 3.9 - 0.5 * np.log10(fewer)
    bits = {name: (fewer, better) for name in ablated.VARIANTS}
    bits |= dict.fromkeys(("plain", "one_for_all"), (writes, plain))
    dims = ("variant", "strength")
    coords = {"variant": list(bits), "strength": strength}
    columns = (np.array([one[n] for one in bits.values()]) for n in (0, 1))
    made = [xr.DataArray(x, coords, dims) for x in columns]
    dataset = xr.Dataset({"writes": made[0], "bits": made[1]})
    gained = ablations._gained(dataset)
    np.testing.assert_allclose(gained.sel(variant="plain"), 0, atol=1e-12)
    for name in ("residual_3", "own"):
        found = gained.sel(variant=name).values
        np.testing.assert_allclose(found[:2], 0.1)
        assert np.isnan(found[2:]).all()  # plain was never trained at so few writes


@pytest.mark.parametrize(
    ("field", "bad"),
    [("strengths", {"strengths": (2.0, 1.0)}), ("n_test", {"n_test": 10**5})],
)
def test_what_cannot_be_is_refused_by_its_field(field, bad):
    with pytest.raises(ValueError, match=rf"Config\.{field} = "):
        ablations.Config(**bad)


@pytest.mark.slow
def test_the_smoke_preset_derives_judges_and_draws():
    import chipsweep

    smoke = ablations.PRESETS["smoke"]
    found = {k: chipsweep.run(s.spec) for k, s in ablations.sweeps(smoke).items()}
    dataset = ablations.derive(smoke, found)
    assert ablations.claims(dataset) == []
    assert len(ablations.plot(dataset).axes) == 3
    few = dataset.writes.sel(strength=1.0)
    assert (few.sel(variant="residual_3") < few.sel(variant="residual_1")).all()
