"""A transformer that goes on learning on arrays: halves of a text, and what is said."""

import numpy as np
import pytest
import xarray as xr

from experiments.deep import language_finetuning as tuning
from experiments.deep import text
from experiments.deep.language_finetuning_figure import NAMES


def test_the_halves_have_no_row_in_common_and_the_same_is_held_out():
    point = tuning.defaults(tuning.Config(n_train=200, n_test=20))
    first, second = tuning.halves(point)
    codes = point.read().train
    np.testing.assert_array_equal(first.x_train[0], codes[:64])
    middle = len(codes) // 2
    np.testing.assert_array_equal(second.x_train[0], codes[middle : middle + 64])
    np.testing.assert_array_equal(first.x_test, second.x_test)
    np.testing.assert_array_equal(first.x_test, text.prepared(point).x_test)


@pytest.mark.parametrize(
    ("field", "bad"), [("n_train", {"n_train": 4000}), ("heads", {"heads": 3})]
)
def test_what_cannot_be_is_refused_by_its_field(field, bad):
    with pytest.raises(ValueError, match=rf"Config\.{field} = "):
        tuning.Config(**bad)


@pytest.mark.parametrize(
    ("noisy", "eapu", "chance", "verdict"),
    [
        (3.5, 2.9, 4.0, "trend reproduced"),
        (2.95, 2.9, 4.0, "not reproduced"),  # noisy backpropagation gains, too
        (3.5, 3.1, 4.0, "not reproduced"),
        (3.5, 2.9, 3.0, "not reproduced"),  # the model had learnt nothing
    ],
)
def test_a_gain_is_against_the_model_that_was_there_before(
    noisy, eapu, chance, verdict
):
    after = dict.fromkeys(NAMES, 2.8) | {"noisy": noisy, "eapu": eapu}
    coords = {"rule": list(NAMES), "epoch": [0, 1]}
    bits = [[[3.0, b], [3.0, b + 0.01]] for b in after.values()]
    dims = ("rule", "seed", "epoch")
    made = {"bits": xr.DataArray(bits, coords, dims)}
    dataset = xr.Dataset(made, attrs={"chance": chance})
    dataset["before"] = dataset.bits.isel(epoch=0, drop=True)
    (claim,) = tuning.claims(dataset)
    assert claim.verdict == verdict
    assert claim.ours == pytest.approx(3.0 - eapu - 0.005)


@pytest.mark.slow
def test_the_smoke_preset_derives_judges_and_draws():
    import chipsweep

    smoke = tuning.PRESETS["smoke"]
    found = {k: chipsweep.run(s.spec) for k, s in tuning.sweeps(smoke).items()}
    dataset = tuning.derive(smoke, found)
    assert len(tuning.claims(dataset)) == 1
    assert len(tuning.plot(dataset).axes) == 3
    before = dataset.before.values
    assert (before == before[0]).all()  # one model for all rules
    writes, steps = dataset.writes, dataset.attrs["steps"]
    assert writes.sel(rule=["ideal", "digital_adapters"]).max() == 0
    every = steps * dataset.cells.sel(rule="noisy")
    np.testing.assert_allclose(writes.sel(rule="noisy"), every, rtol=1e-6)
    assert 0 < writes.sel(rule="eapu_adapters").item() < every.item()
