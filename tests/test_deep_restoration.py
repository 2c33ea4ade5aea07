"""Restoring networks on noisy arrays: how photographs are made worse, and judged."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import eapu_jax as ej
from experiments.data import search
from experiments.data.patches import on_a_grid
from experiments.data.photographs import load_photographs
from experiments.deep import denoising, restoration, super_resolution
from experiments.deep.restoration_judged import claims
from experiments.learning.restoration import enlarged, psnr, reduced, ssim
from tests.statistics import assert_mean, assert_variance

EXPERIMENTS = [denoising, super_resolution]
FULL = super_resolution.PRESETS["full"]


def test_the_full_preset_is_the_public_command():
    """SRResNet x4: every stated hyperparameter, and its size."""
    point = super_resolution.defaults(FULL)
    network, x = super_resolution.network(point), jnp.zeros((1, 24, 24, 3))
    params = jax.eval_shape(network.init, jax.random.key(0), x)["params"]
    held = ej.placements(params)
    leaves = jax.tree_util.tree_leaves_with_path(params)
    sizes = {ej.placement.path_name(p): x.size for p, x in leaves}
    assert sum(n for path, n in sizes.items() if held[path] == "array") == 1_542_528
    assert (point.optimizer, point.learning_rate) == ("adam", 1e-4)
    assert (point.epochs, point.batch_size, point.schedule) == (50, 16, "constant")
    assert (point.side, 2**point.doublings) == (96, 4)
    assert (point.write_noise, point.threshold, point.r_wg) == (2.0, None, 1 / 80)
    worse, x = super_resolution.worse(point), jnp.full((1, 96, 96, 3), 0.3)
    assert worse.border == 4
    assert worse.into(x) is x
    assert worse.out(x, None) is x


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_default_has_weights_enough_at_the_public_setting(experiment):
    point = experiment.defaults(experiment.Config())
    x = jnp.zeros((1, 16, 16, 1))
    params = jax.eval_shape(experiment.network(point).init, jr.key(0), x)["params"]
    assert sum(p.size for p in jax.tree.leaves(params) if p.ndim == 2) > 20_000
    assert (point.write_noise, point.threshold, point.r_wg) == (2.0, None, 1 / 80)
    assert experiment.Config().n_seeds == 3


@pytest.mark.parametrize(
    ("experiment", "bad", "field"),
    [
        (denoising, {"network": "autoencoder", "side": 18, "depth": 2}, "side"),
        (denoising, {"network": "autoencoder", "side": 64, "depth": 6}, "depth"),
        (denoising, {"judges": "packaged"}, "judges"),
        (denoising, {"photographs": "holiday"}, "photographs"),
        (denoising, {"n_train": 7}, "batch_size"),
        (super_resolution, {"side": 33}, "side"),
        (super_resolution, {"side": 16, "doublings": 2}, "side"),
        (super_resolution, {"network": "srresnet"}, "widths"),
    ],
)
def test_what_cannot_be_restored_is_refused_by_its_field(experiment, bad, field):
    with pytest.raises(ValueError, match=f"Config.{field} = "):
        experiment.Config(**bad)


def test_more_test_patches_than_there_are_are_refused():
    with pytest.raises(ValueError, match="n_test = 9999: must be at most"):
        restoration.patches("packaged", "packaged_test", "gray", 32, 1, 9999)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_what_cannot_be_cut_is_refused_before_anything_is_traced(experiment):
    with pytest.raises(ValueError, match=r"^n_test = 9999: must be"):
        experiment.sweeps(experiment.Config(n_test=9999))


def test_nobody_is_judged_by_what_was_learnt(monkeypatch, tmp_path):
    """Two sets that are not at hand have the same stand-in."""
    monkeypatch.setattr(search, "_places", lambda sought, folder: [])
    restoration.cut.cache_clear()
    files = "kodak24_crop500.npz and set5.npz"
    with pytest.raises(ValueError, match=f"judges = 'set5': .* put {files} into the f"):
        super_resolution.sweeps(FULL)
    restoration.cut.cache_clear()


def test_test_patches_are_those_of_the_grid_that_are_not_even():
    found = restoration.patches("packaged", "packaged_test", "gray", 24, 4, 96)
    images = load_photographs("packaged_test").gray
    every = on_a_grid(images, 24, 24).astype("f4") / 255
    kept = [x for x in every if x.std() > restoration.CONTRAST]
    assert len(kept) < len(every)
    at = np.linspace(0, len(kept) - 1, 96).astype(int)
    np.testing.assert_array_equal(found.test, np.stack(kept)[at])


@pytest.fixture(scope="module")
def smooth():
    """Images without any texture, (16, 24, 24, 1) in [0, 1]."""
    side = np.linspace(0.2, 0.8, 24, dtype=np.float32)
    return jnp.asarray(np.broadcast_to(side, (16, 24, 24))[..., None])


def entered(experiment, key, x, swing=1.0):
    point = experiment.defaults(experiment.Config(swing=swing))
    task = restoration.task(experiment.worse(point))
    return task, task.enter(key, x, None, False)


def test_the_noise_has_the_deviation_that_is_stated(smooth):
    _, (x, (truth, given)) = entered(denoising, jr.key(0), smooth, swing=8.0)
    noise = 255 * np.asarray(x / 8 + 0.5 - smooth, float)
    assert_mean(noise.ravel(), 0)
    assert_variance(noise.ravel(), 25**2)
    assert (truth == smooth).all()
    np.testing.assert_allclose(given, x / 8 + 0.5, atol=1e-6)


def test_noise_is_as_its_key_in_test_as_in_training(smooth):
    """The loop gives every test the same key, and every step another."""
    once, again, other = (
        entered(denoising, jr.key(k), smooth)[1][0] for k in (1, 1, 2)
    )
    assert (once == again).all()
    assert (once != other).mean() > 0.99


def test_low_resolution_is_the_bicubic_reduction(smooth):
    _, (x, (truth, given)) = entered(super_resolution, jr.key(0), smooth)
    np.testing.assert_array_equal(x, 2 * reduced(smooth, 2) - 1)
    np.testing.assert_array_equal(given, enlarged(reduced(smooth, 2), 2))
    assert (truth == smooth).all()


def test_scores_are_of_what_a_file_would_hold(smooth):
    """An output that is the input scores as the input; both as the measures say."""
    task, (x, y) = entered(denoising, jr.key(3), smooth, swing=4.0)
    found = task.score(x, y)
    file = (
        np.round(255 * np.clip(np.asarray(x) / 4 + 0.5, 0, 1)).astype(np.float32) / 255
    )
    for name, measure in (("psnr", psnr), ("ssim", ssim)):
        known = float(measure(jnp.asarray(file), smooth).mean())
        assert float(found[name]) == pytest.approx(known, rel=1e-5)
        assert float(found[f"{name}_input"]) == pytest.approx(known, rel=1e-5)
    assert float(task.loss(x, y)) == pytest.approx((25 / 255) ** 2, rel=0.1)
    assert not np.isfinite(float(task.score(x * jnp.nan, y)["psnr"]))


def test_what_a_network_adds_is_judged_within_the_border(smooth):
    task, (_, (truth, given)) = entered(super_resolution, jr.key(0), smooth, swing=4.0)
    lacking = 4 * (truth - given)
    assert float(task.loss(lacking, (truth, given))) == pytest.approx(0, abs=1e-12)
    rim = jnp.ones_like(smooth).at[:, 2:-2, 2:-2].set(0)
    found = task.score(rim, (truth, given))
    assert float(found["psnr"]) == float(found["psnr_input"])
    assert float(task.score(1 - rim, (truth, given))["psnr"]) < 15


def test_an_autoencoder_is_given_the_image_between_minus_one_and_one(smooth):
    config = denoising.Config(network="autoencoder", depth=2)
    worse = denoising.worse(denoising.defaults(config))
    x, (_, given) = restoration.task(worse).enter(jr.key(0), smooth, None, True)
    np.testing.assert_allclose(x, 2 * given - 1, atol=1e-6)
    assert worse.out(x, given) is x


def test_colours_are_judged_by_their_luma():
    """An error of 51 in blue is one of 51 x 24.966 / 255 there (BT.601)."""
    truth = jnp.full((1, 32, 32, 3), 51 / 255)
    task = restoration.task(super_resolution.worse(super_resolution.defaults(FULL)))
    bluer = truth.at[..., 2].add(51 / 255)
    found = float(task.score(bluer, (truth, truth))["psnr"])
    assert found == pytest.approx(20 * np.log10(255 / (51 * 24.966 / 255)), abs=0.05)


def test_the_full_denoiser_is_dncnn_s():
    full = denoising.PRESETS["full"]
    assert (full.depth, full.width, full.side, full.batch_size) == (17, 64, 40, 128)
    assert (full.image_noise, full.learning_rate, full.epochs) == (25, 1e-3, 50)


def made_up(eapu, noisy=10.0, ssim=0.90):
    """Final PSNR of each rule; ideal 30 dB and 0.91, input 20 dB and 0.80."""

    def two(values):
        return xr.DataArray(
            [[[[0.0, v]]] for v in values],
            dims=("rule", "seed", "chip", "epoch"),
            coords={"rule": ["noisy", "eapu"]},
        )

    def one(value):
        return xr.DataArray([[0.0, value]], dims=("seed", "epoch"))

    dataset = xr.Dataset(
        {"psnr": two([noisy, eapu]), "ssim": two([0.5, ssim])}
        | {"psnr_ideal": one(30.0), "ssim_ideal": one(0.91)}
        | {f"{n}_input": xr.DataArray([v], dims="seed") for n, v in INPUT.items()}
    )
    told = {"title": "denoising, by hand", "published_ssim": 0.896}
    return dataset.assign_attrs(**told, write_noise_uS=2.0)


INPUT = {"psnr": 20.0, "ssim": 0.80}
TREND, NOT = "trend reproduced", "not reproduced"


@pytest.mark.parametrize(
    ("dataset", "verdicts"),
    [
        (made_up(29.5), (TREND, TREND, TREND)),
        (made_up(28.9), (TREND, NOT, TREND)),
        (made_up(29.5, ssim=0.88), (NOT, TREND, TREND)),
        (made_up(29.5, noisy=20.1), (TREND, TREND, NOT)),
    ],
)
def test_the_verdicts_follow_the_last_epoch(dataset, verdicts):
    rows = claims(dataset)
    assert tuple(row.verdict for row in rows) == verdicts
    assert rows[0].published == 0.896
    assert rows[0].ours == pytest.approx(float(dataset.ssim[1, 0, 0, -1]))


@pytest.mark.slow
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_the_smoke_preset_derives_judges_and_draws(experiment):
    import chipsweep

    smoke = experiment.PRESETS["smoke"]
    swept = experiment.sweeps(smoke)
    found = {name: chipsweep.run(s.spec) for name, s in swept.items()}
    inputs = found["network"].psnr_input
    assert (inputs == inputs.isel(epoch=0, rule=0)).all()  # the same test every time
    dataset = experiment.derive(smoke, found)
    assert len(experiment.claims(dataset)) == 3
    assert len(experiment.plot(dataset).get_axes()) == 2 + 5 * restoration.PICTURES
    assert (dataset.update_ratio.sel(rule="noisy") > 0.9).all()
    assert (dataset.update_ratio.sel(rule="eapu") < 0.5).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("experiment", "small"),
    [
        (denoising, {"depth": 3, "width": 2, "batch_size": 2}),
        (super_resolution, {"widths": (2,), "blocks": 1, "batch_size": 2}),
    ],
)
def test_the_full_preset_takes_two_steps_at_a_tiny_width(experiment, small):
    import chipsweep

    few = {"photographs": "packaged", "judges": "packaged_test", "n_seeds": 1}
    few |= {"n_train": 4, "n_test": 2, "epochs": 1, "test_at_once": 2, "side": 32}
    tiny = replace(experiment.PRESETS["full"], **few, **small)
    swept = experiment.sweeps(tiny)
    found = {name: chipsweep.run(s.spec) for name, s in swept.items()}
    dataset = experiment.derive(tiny, found)
    assert np.isfinite(dataset.psnr).all()
    assert (dataset.update_ratio.sel(rule="noisy") > 0.9).all()
