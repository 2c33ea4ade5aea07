"""The contest: tuned on some chips, judged on others, and what nobody beats."""

import dataclasses
import itertools

import numpy as np
import pytest
import xarray as xr

from eapu_jax import cost
from experiments.memristor import rivals
from experiments.memristor.contest import entrants, recipes
from experiments.memristor.contest.advice import advice
from experiments.memristor.contest.energy import Size, joules, size
from experiments.memristor.training import Training
from experiments.results.store import StoreError


def swept(seed=0):
    """What a sweep of two rules would have found, made up."""
    rng = np.random.default_rng(seed)
    dims = ("rule", "learning_rate", "strength", "chip", "seed")
    shape = (2, 3, 2, 6, 1)
    names = ("final", "update_ratio", "pulses", "reads", "worst", "words", "bits")
    coords = {"rule": ["eapu", "mixed_precision"], "learning_rate": [1e-3, 3e-3, 1e-2]}
    coords |= {"strength": [0.5, 2.0], "chip": range(6), "seed": [0]}
    made = {n: (dims, rng.random(shape).astype(np.float32)) for n in names}
    return xr.Dataset(made, coords)


def test_the_trial_is_chosen_by_the_chips_that_tune_alone():
    found = swept()
    chosen = rivals.Config(tuners=2).judged(found)
    for rule in found.rule.values:
        score = found.final.sel(rule=rule, seed=0).isel(chip=slice(2)).mean("chip")
        best = max(
            itertools.product(found.learning_rate.values, found.strength.values),
            key=lambda at: float(score.sel(learning_rate=at[0], strength=at[1])),
        )
        one = chosen.sel(rule=rule)
        assert (float(one.learning_rate), float(one.strength)) == best
    changed = found.copy(deep=True)
    changed.final[..., 2:, :] = 1 - changed.final[..., 2:, :]
    again = rivals.Config(tuners=2).judged(changed)
    assert np.array_equal(chosen.learning_rate, again.learning_rate)
    assert np.array_equal(again.chip, [2, 3, 4, 5])


def test_a_chip_that_diverged_counts_as_one_that_learnt_nothing():
    found = swept()
    found.final[0, 0, 0, 0] = np.nan
    judged = rivals.Config(tuners=2).judged(found)
    assert judged.accuracy.sel(rule="eapu").notnull().all()


def test_unbeaten_is_what_enumeration_says():
    rng = np.random.default_rng(1)
    good, dear = (
        xr.DataArray(rng.integers(0, 5, (12, 1)).astype(float), dims=("rule", "chip"))
        for _ in range(2)
    )
    found = rivals._unbeaten(good, dear).values
    g, d = good.values[:, 0], dear.values[:, 0]
    for i in range(12):
        beats = [
            g[j] >= g[i] and d[j] <= d[i] and (g[j] > g[i] or d[j] < d[i])
            for j in range(12)
        ]
        assert found[i] == (not any(beats))


def test_a_rule_that_a_device_cannot_carry_is_left_out_and_says_why():
    rules = ("eapu", "tiki_taka")
    assert entrants.carried("PHASE_CHANGE", rules) == ("eapu",)
    assert "pulsed in the directions (-1, 1)" in str(
        entrants.refusal("PHASE_CHANGE", "tiki_taka")
    )
    assert entrants.refusal("PUBLIC_CODE", "tiki_taka") is None


def test_the_size_of_a_network_is_counted_by_hand():
    mlp = Training(data="digits", n_train=100, n_test=50, hidden=(32,))
    thin = 4 * (64 + 32 + 32 + 10)
    assert size(mlp) == (64 * 32 + 32 * 10, 64 * 32 + 32 * 10, thin)
    pairs = dataclasses.replace(mlp, crossbar="RERAM_MEASURED")
    assert size(pairs).macs == 2 * size(mlp).macs
    cnn = dataclasses.replace(mlp, channels=(8, 16))
    weights = (9 * 8, 9 * 8 * 16, 4 * 16 * 32, 320)
    places = (16, 4, 1, 1)
    macs = sum(w * p for w, p in zip(weights, places, strict=True))
    assert size(cnn)[:2] == (sum(weights), macs)


def test_energy_is_counted_by_hand():
    known = cost.read_constants()
    run = {"pulses": 1000.0, "reads": 200.0, "bits": 96.0}
    how = {"steps": 10, "batch": 4, "size": Size(weights=50, macs=70, thin=8)}
    pulse = known["write_pulse"].value * known["pulses_per_write"].value
    memory = 2 * 96 * 10 * 50 * known["memory_bit"].value
    rest = 1000 * pulse + 200 * known["read_cell"].value + memory
    mac, gpu = known["mac"].value, known["gpu_h100_mac"].value
    draws = 32 * 10 * 50 * known["random_bit"].value
    expected = {
        "mixed_precision": rest + 120 * 70 * mac,
        "eapu": rest + 120 * 70 * mac + draws,
        "ideal": rest + 120 * 70 * gpu,
        "residual_learning": rest + 120 * 140 * mac,
        "digital_adapters": rest + 120 * (70 * mac + 8 * gpu),
        "eapu_adapters": rest + 120 * 78 * mac + draws,
    }
    for rule, joule in expected.items():
        assert joules(run, rule, **how).value == pytest.approx(joule)
    assert np.isnan(joules(run | {"pulses": np.nan}, "eapu", **how)).all()


def test_every_entrant_has_a_name_and_a_camp():
    from experiments.learning.rules import RULES as KNOWN

    assert set(entrants.ENTRANTS) == set(KNOWN)
    camps = {entrants.kind(rule) for rule in KNOWN}
    assert camps == {"digital", "gate", "residual", "several", "adapters"}


def test_the_budget_is_the_same_for_all():
    with pytest.raises(ValueError, match="as many as adam_rates"):
        rivals.Config(sgd_rates=(0.1,))
    with pytest.raises(ValueError, match="tuners = 18"):
        rivals.Config(tuners=18)


def a_recipe(**changes):
    one = recipes.Recipe(
        network="mlp", device="PUBLIC_CODE", rule="eapu", optimizer="adam",
        learning_rate=1e-3, strength=1.0, threshold=0.025, accuracy=0.9, low=0.89,
        high=0.92, writes=0.01, worst=0.1, joules=1e-5, bits=64.0, unbeaten=True,
    )  # fmt: skip
    return dataclasses.replace(one, **changes)


def test_a_table_of_recipes_comes_back(tmp_path):
    rows = [a_recipe(), a_recipe(rule="noisy", unbeaten=False, writes=1.0)]
    recipes.write(tmp_path / "t.csv", rows, "made up")
    assert recipes.read(tmp_path / "t.csv") == (rows, "made up")


@pytest.mark.parametrize("text", ["", "network,device\n", "# a\nnetwork\nmlp\n"])
def test_another_table_is_refused(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(StoreError, match="not a table of recipes"):
        recipes.read(tmp_path / "t.csv")


def test_the_table_that_comes_with_the_checkout_has_every_rule_of_a_device():
    rows, origin = recipes.read()
    assert "run rivals" in origin
    for device in rivals.Config().devices:
        for network in rivals.NETWORKS:
            of = [r.rule for r in rows if (r.device, r.network) == (device, network)]
            assert set(of) == set(entrants.carried(device, entrants.ENTRANTS))


def contested(accuracy, joules, width=0.1):
    """A result of three rules on one device, of two chips that differ by nothing."""
    rules = ["ideal", "eapu", "mixed_precision", "noisy"]
    coords = {"network": ["mlp"], "device": ["D"], "rule": rules, "chip": [0, 1]}
    dims = tuple(coords)

    def of(values):
        return dims, np.broadcast_to(np.reshape(values, (1, 1, 4, 1)), (1, 1, 4, 2))

    return xr.Dataset(
        {
            "accuracy": of(accuracy),
            "joules": of(joules),
            "joules_low": of(np.asarray(joules) - 0.1),
            "joules_high": of(np.asarray(joules) + width),
            "bits": of([64.0, 64.0, 96.0, 64.0]),
            "lifetime_worst": of([np.nan, 20.0, 5.0, 1.0]),
        },
        coords,
    )


@pytest.mark.parametrize(
    ("accuracy", "joules", "rule", "words"),
    [
        ([0.99, 0.9, 0.905, 0.2], [1, 2, 3, 1], "eapu", "of the 2 rules that do so"),
        ([0.99, 0.9, 0.905, 0.2], [1, 3, 2, 1], "mixed_precision", "more than any"),
        ([0.99, 0.8, 0.9, 0.2], [1, 2, 3, 1], "mixed_precision", "96 digital bits"),
        ([0.99, 0.9, np.nan, 0.2], [1, 2, 3, 1], "eapu", "once in 20 steps"),
    ],
)
def test_the_cheapest_of_the_rules_near_the_best_is_advised(
    accuracy, joules, rule, words
):
    found = advice(contested(accuracy, joules), "mlp", "D")
    assert found.rule == rule
    assert words in found.why


def test_an_order_that_unknown_constants_could_turn_is_called_so():
    accuracy, joules = [0.99, 0.9, 0.905, 0.2], [1, 2, 3, 1]
    for width, said in ((0.1, False), (2.0, True)):
        found = advice(contested(accuracy, joules, width), "mlp", "D")
        assert ("could turn this order" in found.why) == said


def test_where_nothing_has_learnt_nothing_is_advised():
    with pytest.raises(ValueError, match="no rule on an array has learnt on D"):
        advice(contested([0.9, np.nan, np.nan, np.nan], [1, 1, 1, 1]), "mlp", "D")
