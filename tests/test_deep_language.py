"""A transformer under write noise: what it reads, and what its figures say."""

import numpy as np
import pytest
import xarray as xr

from experiments import catalogue
from experiments.contract import base_of
from experiments.data.text import Text
from experiments.deep import language, text, text_setting
from experiments.deep.language_figure import NAMES, SCREEN
from experiments.learning.recipe import Recipe

FULL = language.PRESETS["full"]


def test_the_full_preset_has_the_numbers_that_are_stated():
    assert (FULL.blocks, FULL.text) == (8, "tinyshakespeare")
    assert len(base_of(Recipe, FULL).decay(FULL.n_train)) == 5_000
    assert FULL.n_test % FULL.test_at_once == 0


def test_a_target_is_the_character_that_comes_next_and_nothing_is_learnt_twice():
    """The rows come from all of the text, none held out is among those learnt."""
    point = language.defaults(language.Config(n_train=50, n_test=20, context=128))
    data = text.prepared(point)
    assert data.x_train.shape == data.y_train.shape == (50, 128)
    assert data.x_test.shape == (20, 128)
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        np.testing.assert_array_equal(x[:, 1:], y[:, :-1])
    held = point.read().train
    whole = held[: 128 * ((len(held) - 1) // 128)].reshape(-1, 128)
    rows = [int(np.flatnonzero((whole == row).all(1))[0]) for row in data.x_train]
    assert np.ptp(np.diff(rows)) <= 1
    assert rows[-1] > 0.95 * len(whole)
    last = point.read().validation
    whole = last[: 128 * ((len(last) - 1) // 128)].reshape(-1, 128)
    assert all((whole == row).all(1).any() for row in data.x_test)


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("text", {"text": "war_and_peace"}),
        ("n_train", {"n_train": 10**6}),
        ("n_test", {"n_test": 2000}),
        ("batch_size", {"batch_size": 2048}),
        ("heads", {"heads": 5}),
        ("heads", {"width": 6}),
        ("context", {"context": 0}),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(field, bad):
    with pytest.raises(ValueError, match=rf"Config\.{field} = "):
        language.Config(**bad)


def made_up(adam, lion, chance=5.0):
    """Bits of one seed more than another by a hundredth; the last epoch counts."""
    bits = np.stack([[[9.0, bits] for bits in each] for each in (adam, lion)])
    bits = bits[:, :, None] + np.array([0.0, 0.01])[:, None]
    dims = ("optimizer", "rule", "seed", "epoch")
    coords = {"optimizer": ["adam", "lion"], "rule": list(NAMES)}
    made = {"bits": xr.DataArray(bits, coords, dims)}
    return xr.Dataset(made, attrs={"chance": chance})


def test_verdicts_are_of_nats_lost_against_the_ideal_rule():
    nats = 1 / np.log(2)
    adam = (3.0, 3.0 + nats, 3.0 + 0.2 * nats, 3.0 + 0.1 * nats)
    lion = (4.0, 5.0, 4.1, 4.0 + 0.05 * nats)
    cost, less, learns = language.claims(made_up(adam, lion))
    assert cost.ours == pytest.approx(0.1)
    assert cost.published == pytest.approx(SCREEN["adam"][1] - SCREEN["adam"][0])
    assert less.ours == pytest.approx(0.05)
    assert learns.ours == pytest.approx(0.8)
    assert {c.verdict for c in (cost, less, learns)} == {"trend reproduced"}


def test_a_residual_that_loses_more_with_lion_is_said():
    adam, lion = (3.0, 3.2, 3.1, 3.4), (3.0, 3.2, 3.1, 4.0)
    verdicts = [c.verdict for c in language.claims(made_up(adam, lion))]
    assert verdicts == ["not reproduced"] * 3


def test_nothing_counts_where_nothing_is_learnt():
    """Numbers that would all hold, but that frequencies alone are as good."""
    nats = 1 / np.log(2)
    adam = (3.0, 3.0 + nats, 3.0 + 0.2 * nats, 3.0 + 0.1 * nats)
    lion = (3.0, 5.0, 3.1, 3.0 + 0.05 * nats)
    for chance, counted in ((3.0, []), (3.1, [1]), (3.4, [1, 2]), (4.3, [0, 1, 2])):
        verdicts = [c.verdict for c in language.claims(made_up(adam, lion, chance))]
        expected = ["not reproduced"] * 3
        for n in counted:
            expected[n] = "trend reproduced"
        assert verdicts == expected, chance


def test_chance_is_what_the_frequencies_of_characters_say():
    """Less than of an even guess; on a text of one order, no less than its entropy."""
    found = text.text_named("pydoc")
    counts = np.bincount(found.validation, minlength=len(found.vocabulary))
    share = counts[counts > 0] / counts.sum()
    entropy = -(share * np.log2(share)).sum()
    assert entropy < text_setting.chance(found) < np.log2(len(found.vocabulary))
    assert text_setting.chance(found) < 1.1 * entropy


def test_chance_is_of_what_is_held_out_by_frequencies_that_were_learnt():
    """Three in four are the one, and all that is held out is the other: two bits."""
    learnt, held_out = (np.array(x, np.uint8) for x in ([0, 0, 0, 1] * 10**5, [1] * 9))
    few = {"vocabulary": "ab", "provenance": "", "sha256": ""}
    found = Text(train=learnt, validation=held_out, **few)
    assert text_setting.chance(found) == pytest.approx(2, abs=1e-4)


@pytest.mark.parametrize("name", ["language", "scaling_law", "ablations"])
def test_a_text_that_is_not_at_hand_is_said_before_anything_is_trained(
    name, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr("experiments.data.search._places", lambda *_: iter(()))
    text.text_named.cache_clear()
    module = catalogue.find(name)
    module.sweeps(module.PRESETS["shakespeare"])
    assert "tinyshakespeare.txt lies in" in caplog.text
    text.text_named.cache_clear()


@pytest.mark.slow
def test_the_smoke_preset_derives_judges_and_draws():
    import chipsweep

    smoke = language.PRESETS["smoke"]
    found = {k: chipsweep.run(s.spec) for k, s in language.sweeps(smoke).items()}
    dataset = language.derive(smoke, found)
    assert len(language.claims(dataset)) == 3
    assert len(language.plot(dataset).axes) == 3
    assert (dataset.writes.sel(rule="noisy") == dataset.attrs["steps"]).all()
    assert (dataset.writes.sel(rule="ideal") == 0).all()
    assert (dataset.bits > 1).all()
