"""Bad input of the core: refused with the field, the value and the bound."""

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest

import eapu_jax as ej

KEY = jr.key(0)
W = jnp.zeros((4, 4))
NAN, INF = float("nan"), float("inf")
PLAIN = ej.Crossbar()


def program(device=None, **fields):
    device = ej.AdditiveError() if device is None else device
    return ej.program(ej.Crossbar(device=device, **fields), key=KEY)


def update(tx, updates=W, params=W):
    return tx.update(updates, tx.init(params), params)


def refused(act, words):
    """`act` raises a ValueError that says all of `words`."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        act()
    for word in words.split(" | "):
        assert word in str(caught.value)


gates = pytest.mark.parametrize(
    "gate",
    [
        lambda threshold: ej.eapu(threshold, key=KEY),
        ej.drop_below,
        ej.lift_above,
        lambda threshold: ej.laws.write_probability(W, threshold),
        lambda threshold: ej.laws.step_variance(W, threshold),
        lambda threshold: ej.laws.total_variance(W, threshold, 1.0),
        lambda threshold: ej.laws.adam_update_ratio(1e-3, threshold),
        lambda threshold: ej.laws.stationary_variance_eapu(1.0, threshold, 1.0),
    ],
    ids=["eapu", "drop", "lift", "law1", "law2", "law3", "adam", "stationary"],
)


@gates
@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        (0.0, "threshold | > 0 | got 0"),
        (-1.5, "threshold | > 0 | got -1.5"),
        (NAN, "threshold | nan"),
        (np.float32(NAN), "threshold | nan"),
        (INF, "threshold | finite | inf"),
        (jnp.array([1.0, -2.0, 0.0, 1.0]), "threshold | > 0 | got -2 (and 1 more)"),
    ],
)
def test_a_threshold_is_positive_and_finite(gate, threshold, words):
    refused(lambda: gate(threshold), words)


@pytest.mark.parametrize("threshold", [None, {}, "0.1", 1 + 2j, True])
def test_a_threshold_is_a_number(threshold):
    refused(lambda: ej.eapu(threshold, key=KEY), "threshold must be a | number | got")


def test_every_threshold_of_a_tree_is_held_to_the_bound():
    refused(lambda: ej.eapu({"a": 1.0, "b": -3.0}, key=KEY), "threshold | > 0 | -3")


@pytest.mark.parametrize("floor", [-0.1, NAN])
def test_a_floor_is_not_negative(floor):
    refused(lambda: ej.lift_above(1.0, floor=floor), f"floor | {floor:g}")


takes_key = pytest.mark.parametrize(
    "make",
    [
        lambda key: ej.eapu(1.0, key=key),
        lambda key: ej.program(PLAIN, key=key),
        lambda key: ej.array.read(key, PLAIN, ej.deploy(KEY, PLAIN, W)[1][""]),
        lambda key: ej.sample_chip(key, 0, PLAIN, W, ej.Spread()),
        lambda key: ej.sample_chips(key, 2, PLAIN, W, ej.Spread()),
    ],
    ids=["eapu", "program", "read", "sample_chip", "sample_chips"],
)


@takes_key
@pytest.mark.parametrize("key", [0, None, np.zeros(2, np.uint32)])
def test_a_key_is_typed(make, key):
    refused(lambda: make(key), "key must be a typed key | jax.random.key(0) | got")


@takes_key
def test_a_key_is_one_key(make):
    refused(lambda: make(jr.split(KEY)), "key must be one key | (2,) | vmap")


@pytest.mark.parametrize(
    ("device", "words"),
    [
        (
            lambda: ej.AdditiveError(write_noise=-1.0),
            "AdditiveError.write_noise | >= 0 | -1",
        ),
        (
            lambda: ej.AdditiveError(write_noise=NAN),
            "AdditiveError.write_noise | nan",
        ),
        (
            lambda: ej.AdditiveError(read_noise=-0.5),
            "AdditiveError.read_noise | >= 0 | -0.5",
        ),
        (
            lambda: ej.AdditiveError(g_min=5.0, g_max=1.0),
            "g_min | below g_max = 1 | got 5",
        ),
        (
            lambda: ej.AdditiveError(g_max=NAN),
            "AdditiveError.g_max | not NaN | got nan",
        ),
        (
            lambda: ej.AdditiveError(write_noise=INF),
            "write_noise | finite | inf",
        ),
        (
            lambda: ej.VerifyRelaxation(tolerance=-2.0),
            "VerifyRelaxation.tolerance | >= 0 | -2",
        ),
        (
            lambda: ej.VerifyRelaxation(relaxation=-1.0),
            "relaxation | >= 0 | -1",
        ),
        (
            lambda: ej.VerifyRelaxation(relaxation_per_decade=-1.0),
            "per_decade | >= 0 | -1",
        ),
        (
            lambda: ej.VerifyRelaxation(onset=0.0),
            "VerifyRelaxation.onset | > 0 | got 0",
        ),
        (
            lambda: ej.SoftBounds(pulse=0.0),
            "SoftBounds.pulse | > 0 | got 0",
        ),
        (
            lambda: ej.SoftBounds(g_min=80.0, g_max=80.0),
            "g_min | below g_max = 80 | got 80",
        ),
        (
            lambda: ej.SoftBounds(g_min=-INF),
            "SoftBounds.g_min | finite | inf",
        ),
        (lambda: ej.AdditiveError(write_noise="2"), "write_noise | real number | '2'"),  # type: ignore
        (
            lambda: ej.Crossbar(device=3),
            "Crossbar.device must be a device | got 3",
        ),
    ],
)
def test_constants_of_a_device_are_held_to_their_bounds(device, words):
    refused(device, words)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"r_wg": 0.0}, "Crossbar.r_wg | > 0 | got 0"),
        ({"r_wg": -1 / 80}, "Crossbar.r_wg | > 0 | got -0.0125"),
        ({"r_wg": NAN}, "Crossbar.r_wg | nan"),
        ({"stuck_at": jnp.full((4, 4), INF)}, "Crossbar.stuck_at | finite | inf"),
        ({"stuck_at": jnp.full((4, 4), NAN)}, "Crossbar.stuck_at | not NaN"),
        ({"stuck_at": "no"}, "Crossbar.stuck_at | real number"),
        ({"stuck": jnp.ones((4, 4)), "stuck_at": 0.0}, "Crossbar.stuck | true"),
        ({"stuck": True, "stuck_at": 0.0}, "Crossbar.stuck | array of true | True"),
        ({"stuck": jnp.ones((4, 4), bool)}, "Crossbar.stuck_at | got None"),
    ],
)
def test_fields_of_a_crossbar_are_held_to_their_bounds(fields, words):
    refused(lambda: ej.Crossbar(**fields), words)


@pytest.mark.parametrize("crossbar", [None, 3, ej.AdditiveError(), {"a": 1.0}])
def test_a_crossbar_is_a_crossbar(crossbar):
    words = "crossbar must hold Crossbars only | got"
    refused(lambda: ej.program(crossbar, key=KEY), words)
    refused(lambda: ej.deploy(KEY, crossbar, W), words)


@pytest.mark.parametrize("step_time", [-1.0, NAN, INF])
def test_time_runs_forwards(step_time):
    make = lambda: ej.program(PLAIN, key=KEY, step_time=step_time)  # noqa: E731
    refused(make, f"step_time must be | {step_time:g}")


def test_a_write_needs_params():
    tx = program()
    refused(lambda: tx.update(W, tx.init(W)), "program | pass params")


def test_params_have_the_form_of_their_updates():
    tx = program()
    refused(lambda: update(tx, W, jnp.zeros((5, 5))), "params | (4, 4) | (5, 5)")
    refused(lambda: update(tx, W, {"a": W}), "params must have the structure")


@pytest.mark.parametrize("dtype", [jnp.int32, jnp.bool_, jnp.complex64])
def test_weights_on_the_array_are_floating_point(dtype):
    strange = W.astype(dtype)
    words = f"floating point | {np.dtype(dtype).name}"
    refused(lambda: update(program(), strange, strange), words)
    refused(lambda: update(ej.eapu(1.0, key=KEY), strange, strange), words)
    refused(lambda: ej.deploy(KEY, PLAIN, strange), words)


def test_constants_that_do_not_fit_the_cells_are_refused():
    refused(lambda: update(program(stuck_at=jnp.zeros((3, 3)))), "(3, 3) | (4, 4)")
    some = jnp.ones((3, 3), bool)
    refused(lambda: update(program(stuck_at=0.0, stuck=some)), "stuck must | (4, 4)")
    wide = ej.AdditiveError(write_noise=jnp.ones(7))
    refused(lambda: update(program(wide)), "(7,) | (4, 4)")
    refused(lambda: update(ej.eapu(jnp.ones(3), key=KEY)), "(4, 4) | (3,)")


def test_trees_that_do_not_fit_the_weights_are_refused():
    refused(lambda: update(ej.eapu({"a": 1.0}, key=KEY)), "prefix")
    refused(lambda: update(ej.program({"a": PLAIN}, key=KEY)), "'' | got only 'a'")
    refused(lambda: ej.deploy(KEY, {"z": PLAIN}, {"a": W}), "'a' | got only 'z'")


@pytest.mark.parametrize("name", ["z", "a/kernel/w", "b", "a/ker"])
def test_a_crossbar_at_no_path_of_the_weights_is_refused(name):
    w = {"a": {"kernel": W}, "bias": W[0]}
    tree = {"a": PLAIN, name: PLAIN}
    _, arrays = ej.deploy(KEY, PLAIN, w)
    words = f"crossbar must name paths | 'a/kernel', 'bias' | got '{name}'"
    refused(lambda: ej.deploy(KEY, tree, w), words)
    refused(lambda: ej.program(tree, key=KEY).init(w), words)
    refused(lambda: ej.wrap(w, arrays, KEY, tree), words)


def test_crossbars_of_digital_and_of_masked_leaves_are_no_strangers():
    w = {"a": W, "b": W, "bias": W[0]}
    tree = {"a": PLAIN, "b": PLAIN, "bias": PLAIN}
    ej.deploy(KEY, tree, w)
    mask = {"a": True, "b": False, "bias": False}
    update(optax.masked(ej.program(tree, key=KEY), mask), w, w)


LEVELS = {
    "16 levels": (ej.FiniteLevels(device=ej.SoftBounds(), levels=16), 5),
    "15 levels": (ej.FiniteLevels(device=ej.SoftBounds(), levels=15), 4),
    "switches": (ej.StochasticSwitching(levels=33), 6),
    "within": (
        ej.Wearing(device=ej.FiniteLevels(device=ej.SoftBounds(), levels=300)),
        9,
    ),
}


@pytest.mark.parametrize("side", ["adc", "backward_adc"])
@pytest.mark.parametrize("name", LEVELS)
def test_an_adc_tells_the_levels_of_its_device_apart(name, side):
    device, bits = LEVELS[name]

    def read_by(bits):
        periphery = ej.Periphery(**{side: ej.Adc(bits=bits)})
        return ej.Crossbar(device=device, periphery=periphery)

    read_by(bits)
    read_by(None)
    words = f"periphery.{side}.bits must be >= {bits} | got {bits - 1}"
    refused(lambda: read_by(bits - 1), words)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"chip_to_chip": {"write_noise": -0.1}}, "chip_to_chip['write_noise'] | -0.1"),
        ({"cell_to_cell": {"write_noise": NAN}}, "cell_to_cell['write_noise'] | nan"),
        ({"chip_to_chip": 0.1}, "Spread.chip_to_chip must map | got 0.1"),
        ({"stuck_rate": 1.5}, "Spread.stuck_rate | <= 1 | 1.5"),
        ({"stuck_rate": -0.5}, "Spread.stuck_rate | >= 0 | -0.5"),
        ({"stuck_rate": NAN}, "Spread.stuck_rate | nan"),
        ({"stuck_levels": ()}, "Spread.stuck_levels | at least one | ()"),
        ({"stuck_levels": (0.0, NAN)}, "Spread.stuck_levels | nan"),
    ],
)
def test_a_spread_is_held_to_its_bounds(fields, words):
    refused(lambda: ej.Spread(**fields), words)


def test_a_spread_names_constants_of_the_device():
    colour = ej.Spread(chip_to_chip={"colour": 0.1})
    draw = lambda: ej.sample_chip(KEY, 0, PLAIN, W, colour)  # noqa: E731
    refused(draw, "'colour' | AdditiveError | write_noise")


def test_a_spread_is_a_spread():
    refused(lambda: ej.sample_chips(KEY, 2, PLAIN, W, 0.1), "Spread | 0.1")  # type: ignore


@pytest.mark.parametrize("n", [0, -1, 2.5, "3", True])
def test_chips_are_counted_in_whole_numbers(n):
    refused(lambda: ej.sample_chips(KEY, n, PLAIN, W, ej.Spread()), f"n must be | {n}")


@pytest.mark.parametrize("index", [-1, 1.5])
def test_chips_are_numbered_in_whole_numbers(index):
    draw = lambda: ej.sample_chip(KEY, index, PLAIN, W, ej.Spread())  # noqa: E731
    refused(draw, f"index must be | {index}")


def test_a_population_starts_from_one_crossbar():
    draw = lambda: ej.sample_chip(KEY, 0, {"a": PLAIN}, {"a": W}, ej.Spread())  # noqa: E731
    refused(draw, "crossbar must be one Crossbar")


@pytest.mark.parametrize(
    "count", [ej.update_ratio, ej.layer_update_ratio, ej.writes_per_cell]
)
def test_counts_need_a_program_in_the_chain(count):
    with pytest.raises(ValueError, match="`program`"):
        count(optax.sgd(0.1).init(W))


def test_a_lifetime_needs_steps_and_cells():
    writes = jnp.ones((2, 2), jnp.int32)
    refused(lambda: ej.lifetime_factor(writes, -1), "steps must be >= 0 | -1")
    refused(lambda: ej.lifetime_factor(writes, 1.5), "steps | whole | 1.5")  # type: ignore
    refused(lambda: ej.lifetime_factor({}, 10), "writes | at least one cell")


def test_laws_refuse_what_has_no_stationary_state():
    law = ej.laws.stationary_variance_backprop
    refused(lambda: law(1.0, 0.0), "learning_rate * curvature | > 0 | got 0")
    refused(lambda: law(1.0, 0.5, 4.0), "learning_rate * curvature | < 2 | got 2")
    refused(lambda: law(-1.0, 0.1), "write_noise | >= 0 | -1")
    refused(lambda: ej.laws.total_variance(W, 1.0, -1.0), "write_noise | >= 0 | -1")
    refused(lambda: ej.laws.adam_update_ratio(1e-3, 1.0, b1=1.0), "b1 | < 1 | got 1")
    refused(lambda: ej.laws.adam_update_ratio(-1.0, 1.0), "learning_rate | >= 0 | -1")


# Inside jit nothing raises


def test_traced_nonsense_passes_and_shows_in_the_numbers():
    def step(threshold, write_noise):
        crossbar = ej.Crossbar(device=ej.AdditiveError(write_noise=write_noise))
        tx = optax.chain(
            ej.eapu(threshold, key=KEY), ej.program(crossbar, key=jr.key(1))
        )
        return update(tx, W + 1.0)[0]

    assert np.all(np.isnan(jax.jit(step)(1.0, NAN)))


def test_a_diverged_update_shows():
    tx = ej.eapu(1.0, key=KEY)
    assert np.all(np.isnan(update(tx, W + NAN)[0]))
