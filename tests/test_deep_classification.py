"""A bottleneck ResNet by SGD and a fine-tuned Swin transformer on noisy arrays."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import xarray as xr

import chipsweep
from chipsweep import Keys
from eapu_jax.placement import on_array
from experiments.deep import images, resnet152_cifar100, resnet_cifar10, swin, transfer
from experiments.deep.spans import in_order, spanned
from experiments.learning import networks
from experiments.learning.recipe import Recipe

RESNET, SWIN = (m.defaults(m.PRESETS["full"]) for m in (resnet152_cifar100, swin))


def recipe(point):
    return Recipe(**{f: getattr(point, f) for f in Recipe.__dataclass_fields__})


def weights(network, side):
    x = jnp.zeros((1, side, side, 3))
    return jax.eval_shape(network.init, jax.random.key(0), x)["params"]


def test_full_resnet_is_the_one_of_the_public_command():
    """ResNet-152; SGD 0.1, cosine, 100 epochs of batches of 128."""
    network = images.BLOCKS[RESNET.block](RESNET.depths, RESNET.widths, 100)
    assert network == networks.resnet152(100)
    assert (RESNET.optimizer, RESNET.learning_rate) == ("sgd", 0.1)
    assert (RESNET.schedule, RESNET.epochs, RESNET.batch_size) == ("cosine", 100, 128)
    assert (RESNET.write_noise, RESNET.threshold, RESNET.r_wg) == (2.4, None, 1 / 80)
    assert (RESNET.data, RESNET.augmentation) == ("cifar100", "crop_and_flip")
    assert (RESNET.n_train, RESNET.pool) == (50_000, 1)
    assert resnet152_cifar100.PRESETS["full"].layers == 152


def test_full_swin_is_tiny_and_tuned_as_stated():
    """Swin-T; Adam 1e-5, a tenth after 10 of 20 epochs, batches of 128."""
    assert transfer.network(SWIN, 100) == networks.swin(100)
    assert (SWIN.optimizer, SWIN.learning_rate, SWIN.batch_size) == ("adam", 1e-5, 128)
    assert (SWIN.write_noise, SWIN.threshold, SWIN.r_wg) == (2.4, None, 1 / 80)
    rates = recipe(SWIN).decay(1280)
    np.testing.assert_allclose(rates, [1] * 100 + [0.1] * 100)


def test_an_image_is_enlarged_to_what_swin_takes():
    x, _ = transfer.task(SWIN).enter(jr.key(0), jnp.ones((2, 32, 32, 3)), None, False)
    assert x.shape == (2, 224, 224, 3)


@pytest.mark.parametrize(
    ("module", "field", "bad"),
    [
        (resnet152_cifar100, "pool", {"pool": 3}),
        (resnet_cifar10, "pool", {"pool": 5}),
        (swin, "patch", {"patch": 3}),
        (swin, "patch", {"data": "digits", "n_train": 1000, "n_test": 100}),
    ],
)
def test_what_does_not_go_into_the_images_is_refused_by_its_field(module, field, bad):
    with pytest.raises(ValueError, match=rf"Config\.{field} = .*sides of the images"):
        module.sweeps(module.Config(**bad))


def test_what_goes_into_the_images_once_they_are_enlarged_is_taken():
    """16 does not divide 8 pixels; it divides twice as many."""
    config = replace(swin.PRESETS["smoke"], patch=4)
    assert swin.sweeps(replace(config, enlarge=2))
    with pytest.raises(ValueError, match="16 must divide"):
        swin.sweeps(config)


@pytest.mark.parametrize(
    "bad", [{"heads": (2,)}, {"heads": (3, 4)}, {"window": 1}, {"n_train": 40}]
)
def test_a_transformer_that_cannot_be_is_refused_by_its_field(bad):
    name = "batch_size" if "n_train" in bad else next(iter(bad))
    with pytest.raises(ValueError, match=rf"Config\.{name} = "):
        swin.Config(**bad)


@pytest.fixture
def nowhere(tmp_path, monkeypatch):
    """No folder, cache, package or download has any data."""
    monkeypatch.setattr("experiments.data.search._places", lambda *_: iter(()))
    images.images.cache_clear()
    yield
    images.images.cache_clear()


def test_a_missing_data_set_is_named_in_the_caption_and_fits_or_is_refused(
    nowhere, caplog
):
    """A stand-in of 28 x 28 serves in its place: never in silence."""
    few = {"n_train": 400, "n_test": 100}
    config = replace(resnet152_cifar100.PRESETS["cifar100"], **few)
    resnet152_cifar100.sweeps(config)
    assert config.images().provenance.startswith("STAND-IN for CIFAR-100")
    assert "cifar100.npz or " in caplog.text  # what to do about it
    assert "EAPU_JAX_DATA" in caplog.text
    with pytest.raises(ValueError, match=r"Config\.patch = 4: 224 .*196.*STAND-IN"):
        swin.sweeps(replace(swin.PRESETS["full"], **few))


def test_matrices_are_in_the_order_of_the_signal():
    network = images.BLOCKS["bottleneck"]((1, 10), (2, 4), 3)
    paths = list(on_array(weights(network, 8)))
    names = [paths[i].removesuffix("/kernel") for i in in_order(paths)]
    first = [f"block_0/{n}" for n in ("conv_0", "conv_1", "conv_2", "shortcut")]
    assert names[:5] == ["stem", *first]
    assert names[-1] == "head"
    assert [n for n in names if n.endswith("conv_0")] == [
        f"block_{n}/conv_0" for n in range(11)
    ]


def test_parts_of_a_training_hold_all_of_it():
    """Equal parts have the same mean as the whole; short trainings have all steps."""
    x = jr.uniform(jr.key(0), (120, 3))
    assert spanned(x).shape == (40, 3)
    np.testing.assert_allclose(spanned(x).mean(0), x.mean(0), rtol=1e-5)
    np.testing.assert_array_equal(spanned(x[:7]), x[:7])


def test_the_classes_of_the_two_trainings_have_nothing_in_common():
    point = swin.defaults(swin.PRESETS["smoke"])
    before, after = transfer.prepared(point)
    assert len(before.x_train) + len(after.x_train) == point.n_train
    both = [{x.tobytes() for x in half.x_train} for half in (before, after)]
    assert not both[0] & both[1]
    assert all(set(half.y_train) == set(range(5)) for half in (before, after))


SMALL = transfer.Tuned(
    data="digits", n_train=800, n_test=200, patch=2, width=8, depths=(1,), heads=(1,),
    epochs=1, batch_size=16, pretraining_epochs=10, pretraining_rate=0.01,
)  # fmt: skip


def test_what_was_pretrained_is_the_body_of_the_network_that_is_tuned(monkeypatch):
    """Of every chip of a seed; its accuracy is on the classes that came before."""
    train, learnt = transfer.train, []

    def spy(*args, **how):
        learnt.append(train(*args, **how))
        return learnt[-1]

    monkeypatch.setattr(transfer, "train", spy)

    @jax.jit
    @jax.vmap
    def both(chip):
        return *transfer.pretrained(SMALL, Keys(jr.key(0), chip)), learnt[-1].params

    params, accuracy, alone = both(jr.split(jr.key(1)))
    new, old = ({**tree} for tree in (params, alone))
    heads = new.pop("head"), old.pop("head")
    jax.tree.map(np.testing.assert_array_equal, new, old)
    assert np.any(heads[0]["kernel"] != heads[1]["kernel"])
    first, second = (jax.tree.map(lambda x, n=n: x[n], (params, alone)) for n in (0, 1))
    jax.tree.map(np.testing.assert_array_equal, first, second)
    before, after = transfer.prepared(SMALL)
    logits = jax.jit(transfer.network(SMALL, 5).apply)
    right = np.argmax(logits({"params": first[1]}, before.x_test), -1) == before.y_test
    np.testing.assert_allclose(accuracy, right.mean(), atol=1e-6)
    # it knows them; the other classes it has not seen
    others = np.argmax(logits({"params": first[1]}, after.x_test), -1) == after.y_test
    assert right.mean() > 0.2 + 5 * (0.2 * 0.8 / len(right)) ** 0.5
    assert others.mean() < 0.2 + 5 * (0.2 * 0.8 / len(others)) ** 0.5


def test_what_is_tuned_begins_at_what_was_pretrained_and_learns_other_classes(
    monkeypatch,
):
    seen = {}

    def spy(point, keys, network, data, task, *, params):
        seen.update(network=network, data=data, params=params)
        return None, {"score": jnp.array([0.1, 0.7])}

    monkeypatch.setattr(swin, "pretrained", lambda point, keys: ("learnt", 0.9))
    monkeypatch.setattr(swin, "learn", spy)
    found = swin.simulate(SMALL, 0, None)
    assert (seen["params"], found["pretrained"]) == ("learnt", 0.9)
    assert float(found["final"]) == np.float32(0.7)
    whole = images.images("digits", 800, 200)
    assert len(seen["data"].x_train) == (whole.y_train > 4).sum()
    shown = {x.tobytes() for x in whole.x_test[whole.y_test > 4]}
    assert len(shown) == len(seen["data"].x_test)
    np.testing.assert_array_equal(
        seen["data"].y_test, whole.y_test[whole.y_test > 4] - 5
    )


def test_images_are_moved_when_training_alone():
    point = replace(SMALL, augmentation="crop_and_flip", data="mnist5k")
    x = jr.uniform(jr.key(0), (4, 8, 8, 1))
    for task in (transfer.task(point), images.task(point)):
        trained, seen = (task.enter(jr.key(1), x, None, on)[0] for on in (True, False))
        np.testing.assert_array_equal(seen, x)
        assert np.any(trained != x)


def made(variables, **attrs):
    where = {"rule": ["ideal", "noisy", "eapu"], "learning_rate": [1e-5, 1e-4]}
    dataset = xr.Dataset(variables, coords=where)
    return dataset.assign_attrs(chance=0.2, write_noise_uS=2.4, layers=11, **attrs)


def curves(ideal, noisy, eapu):
    dims = ("rule", "learning_rate", "epoch")
    return xr.DataArray([[c, c] for c in (ideal, noisy, eapu)], dims=dims)


def test_verdicts_on_swin_follow_best_epochs_and_rates():
    ratio = xr.DataArray([[0, 0], [1, 1], [9e-5, 9e-4]], dims=("rule", "learning_rate"))
    accuracy = curves([0.9, 0.95], [0.3, 0.2], [0.92, 0.91])
    judge = swin.claims(made({"accuracy": accuracy, "update_ratio": ratio}))
    assert [c.ours for c in judge] == pytest.approx([62, 3, 1 / 9e-5])
    assert {c.verdict for c in judge} == {"trend reproduced"}
    accuracy = curves([0.99, 0.99], [0.4, 0.2], [0.92, 0.91])
    few = ratio.copy(data=[[0, 0], [1, 1], [2e-4, 9e-4]])
    judge = swin.claims(made({"accuracy": accuracy, "update_ratio": few}))
    assert {c.verdict for c in judge} == {"not reproduced"}


def test_at_chance_there_is_nothing_to_lose():
    """Twenty points over a chance of a fifth: five times what may be lost."""
    ratio = xr.DataArray([[0, 0], [1, 1], [9e-5, 9e-4]], dims=("rule", "learning_rate"))
    for ideal, verdict in ((0.22, "not"), (0.39, "not"), (0.41, "trend")):
        accuracy = curves([ideal, 0.2], [0.2, 0.2], [ideal - 0.01, 0.2])
        judge = swin.claims(made({"accuracy": accuracy, "update_ratio": ratio}))
        assert judge[1].verdict == f"{verdict} reproduced"
        assert judge[0].verdict == "not reproduced"


def resnet_dataset(top, mean):
    """EaPU writes `mean` per step, `top` at most."""
    rule = {"rule": ["noisy", "eapu"]}
    accuracy = xr.DataArray([[0.1, 0.0], [0.8, 0.6]], dims=("rule", "epoch"))
    parts = xr.DataArray([[1, 1], [top, mean]], dims=("rule", "span"))
    whole = xr.DataArray([1, mean], dims="rule")
    ideal = xr.DataArray([0.83, 0.7], dims="epoch")
    made = {"accuracy": accuracy, "span_ratio": parts, "update_ratio": whole}
    attrs = {"layers": 11, "chance": 0.1, "write_noise_uS": 2.4}
    return xr.Dataset(made | {"ideal": ideal}, coords=rule, attrs=attrs)


def test_verdicts_on_the_resnet_count_the_highest_ratio_and_the_mean():
    good = resnet152_cifar100.claims(resnet_dataset(1.3e-3, 0.9e-3))
    assert [c.ours for c in good] == pytest.approx([70, 3, 1.3, 0.9, 1 / 0.9e-3])
    assert {c.verdict for c in good} == {"trend reproduced"}
    busy = resnet152_cifar100.claims(resnet_dataset(1.5e-3, 1.1e-3))
    assert [c.verdict for c in busy[2:]] == ["not reproduced"] * 3


@pytest.mark.slow
@pytest.mark.parametrize("module", [resnet152_cifar100, swin])
def test_smoke_derives_judges_and_draws(module):
    smoke = module.PRESETS["smoke"]
    found = {k: chipsweep.run(s.spec) for k, s in module.sweeps(smoke).items()}
    dataset = module.derive(smoke, found)
    assert len(module.claims(dataset)) in (3, 5)
    assert len(module.plot(dataset).axes) in (3, 4)
    assert (dataset.update_ratio.sel(rule="noisy") > 0.98).all()
    assert (dataset.update_ratio.sel(rule="eapu") < 0.3).all()


RESIDUAL = {"depths": (1, 1, 1, 1), "widths": (2, 2, 2, 2), "n_train": 8, "n_test": 8}
SHRUNK = {
    resnet_cifar10: RESIDUAL,
    resnet152_cifar100: RESIDUAL,
    swin: {
        **{"depths": (1, 1, 2, 1), "width": 2, "heads": (1, 1, 1, 1)},
        **{"patch": 1, "window": 2, "enlarge": 2, "pretraining_epochs": 1},
        **{"n_train": 20, "n_test": 20},  # of which half are of the other classes
    },
}
"""Widths, depths, and for Swin the sides of images and of what they are cut into."""


@pytest.mark.slow
@pytest.mark.parametrize("module", SHRUNK, ids=lambda m: m.__name__.split(".")[-1])
def test_every_full_preset_takes_two_steps_at_tiny_width(module):
    """Block, optimizer, schedule, augmentation, noise stay: none of them may rot."""
    full = module.defaults(module.PRESETS["full"])
    few = {"data": "digits", "test_at_once": 2, "batch_size": 4, "epochs": 1}
    tiny = replace(full, **few, **SHRUNK[module])
    kept = {"block", "optimizer", "schedule", "augmentation", "write_noise", "rule"}
    for field in kept & set(tiny.__dataclass_fields__):
        assert getattr(tiny, field) == getattr(full, field)
    keys = Keys(jr.key(0), jr.key(1))
    found = jax.jit(lambda: module.simulate(tiny, 0, keys))()
    assert np.isfinite(found["loss"]).all()
    assert found["update_ratio"] > 0
