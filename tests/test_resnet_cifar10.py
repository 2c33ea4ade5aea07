"""Residual networks on noisy arrays: what is published, and what is trained."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

import eapu_jax as ej
from experiments.deep import images, resnet_cifar10
from experiments.deep.training import Deep
from experiments.learning.recipe import Recipe

FULL = resnet_cifar10.PRESETS["full"]


def test_the_full_preset_is_the_public_command():
    """ResNet-34 on all of CIFAR-10: every stated hyperparameter, and its size."""
    point = resnet_cifar10.defaults(FULL)
    network = images.BLOCKS[point.block](point.depths, point.widths, 10)
    x = jnp.zeros((1, 32, 32, 3))
    params = jax.eval_shape(network.init, jax.random.key(0), x)["params"]
    held = ej.placements(params)
    sizes = {ej.placement.path_name(p): x.size for p, x in _leaves(params)}
    on_array = sum(n for path, n in sizes.items() if held[path] == "array")
    assert on_array == 21_265_088
    assert (point.optimizer, point.learning_rate) == ("adam", 1e-3)
    assert (point.epochs, point.batch_size, point.pool) == (50, 128, 1)
    assert (point.write_noise, point.threshold, point.r_wg) == (2.0, None, 1 / 80)
    assert (FULL.n_train, FULL.n_test, FULL.layers) == (50_000, 10_000, 34)
    rates = Recipe(**{f: getattr(point, f) for f in Recipe.__dataclass_fields__})
    decay = rates.decay(50_000)
    assert len(decay) == 50 * 390  # PyTorch's 391st batch is not full: left out
    np.testing.assert_allclose(decay[[0, 30 * 390 - 1, 30 * 390]], [1, 1, 0.1])


def _leaves(tree):
    return jax.tree_util.tree_leaves_with_path(tree)


def test_every_image_is_augmented_in_training_alone():
    point = resnet_cifar10.defaults(FULL)
    x = jnp.arange(2.0 * 8 * 8 * 3).reshape(2, 8, 8, 3) + 1
    enter, key, y = images.task(point).enter, jax.random.key(1), jnp.zeros(2)
    assert (enter(key, x, y, False)[0] == x).all()
    assert (enter(key, x, y, True)[0] != x).any()


@pytest.mark.parametrize(
    "bad", [{"widths": (4, 8)}, {"block": "wide"}, {"augmentation": "mixup"}]
)
def test_a_network_that_cannot_be_is_refused_by_its_field(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        resnet_cifar10.Config(**bad)


def test_the_verdicts_follow_the_best_epoch():
    """As published: the best test accuracy of an epoch, not the last."""
    epochs = xr.DataArray([1, 2], dims="epoch")
    curves = {"noisy": [0.30, 0.11], "eapu": [0.80, 0.90]}
    accuracy = xr.DataArray(
        [[[[curves[r]]] for _ in (0.5, 2.0)] for r in curves],
        dims=("rule", "write_noise", "seed", "chip", "epoch"),
        coords={"rule": list(curves), "write_noise": [0.5, 2.0], "epoch": epochs},
    )
    ideal = xr.DataArray([[0.91, 0.92]], dims=("seed", "epoch"))
    dataset = xr.Dataset(
        {"accuracy": accuracy, "ideal": ideal}, attrs={"layers": 8, "chance": 0.1}
    )
    best, last, loss = resnet_cifar10.claims(dataset)
    assert best.ours == pytest.approx(60)  # 90 less 30: not above 60
    assert (best.verdict, last.verdict) == ("not reproduced", "trend reproduced")
    assert loss.ours == pytest.approx(2)
    assert loss.verdict == "trend reproduced"


@pytest.mark.slow
def test_the_smoke_preset_derives_judges_and_draws():
    import chipsweep

    smoke = resnet_cifar10.PRESETS["smoke"]
    found = {k: chipsweep.run(s.spec) for k, s in resnet_cifar10.sweeps(smoke).items()}
    dataset = resnet_cifar10.derive(smoke, found)
    assert len(resnet_cifar10.claims(dataset)) == 3
    assert len(resnet_cifar10.plot(dataset).axes) == 3
    assert (dataset.update_ratio.sel(rule="noisy") > 0.99).all()
    assert (dataset.update_ratio.sel(rule="eapu") < 0.3).all()


def test_fields_of_a_point_are_those_of_a_training():
    assert issubclass(images.Residual, Deep)
