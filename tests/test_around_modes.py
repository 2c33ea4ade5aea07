"""The core under every mode of jax, every kind of key, and inside flax NNX."""

from contextlib import ExitStack
from functools import cache

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from flax import nnx

import eapu_jax as ej

ADDITIVE = ej.AdditiveError(write_noise=2.0, read_noise=0.5)
DEVICES = {
    "additive error": ADDITIVE,
    "soft bounds": ej.SoftBounds(g_min=-90.0, g_max=90.0),
    "phase change": ej.PhaseChange(g_max=90.0),
    "wearing, of 16 levels": ej.Wearing(
        device=ej.FiniteLevels(device=ej.SoftBounds(), levels=16), endurance=1e3
    ),
}
MODES = {
    "debug_nans": [lambda: jax.debug_nans(True)],
    "debug_key_reuse": [lambda: jax.debug_key_reuse(True)],
    "disable_jit, debug_nans": [jax.disable_jit, lambda: jax.debug_nans(True)],
}
BRIEF = {"debug_nans": 2, "debug_key_reuse": 1, "disable_jit, debug_nans": 0}
W = {"bias": jnp.ones(8), "kernel": jnp.linspace(-0.5, 0.5, 64).reshape(8, 8)}


def life(device, w=W, foreign="write"):
    """Chips are drawn, trained with weights changed from outside, read, multiplied."""
    pairs = ej.DifferentialPair(policy="up")
    encoding = pairs if device.directions == (1,) else ej.SingleCell()
    nominal = ej.Crossbar(device=device, encoding=encoding, r_wg=1 / 40)
    spread = ej.Spread(stuck_rate=0.2, stuck_levels=(0.0, 10.0))
    chip = ej.sample_chip(jr.key(0), 0, nominal, w, spread)
    gate = ej.eapu(0.3, key=jr.key(1))
    array = ej.program(chip, key=jr.key(2), step_time=10.0, foreign=foreign)
    tx = optax.chain(gate, array)
    state = tx.init(w)
    changed, slopes = (
        jax.tree.map(f, w) for f in (lambda x: x + 0.01, lambda x: x / 8)
    )
    updates, state = tx.update(slopes, state, changed)
    w = optax.apply_updates(changed, updates)
    held, x = ej.view(state), jnp.ones((2, 8), w["kernel"].dtype)
    seen, _ = ej.array.read(jr.key(3), chip["kernel"], held["kernel"])
    y = x @ ej.wrap(w, held, jr.key(4), chip)["kernel"]
    return w["kernel"], seen, y, ej.update_ratio(state)


@cache
def plain(name, foreign):
    return life(DEVICES[name], foreign=foreign)


def watched_lives():
    """All of them on every device; in short, on the plainest, and one on another.

    Without `jit` all of them take long.
    """
    lives = [*[(name, "write") for name in DEVICES], ("additive error", "set")]
    brief = [("additive error", "write"), ("wearing, of 16 levels", "write")]
    for mode in MODES:
        for name, foreign in lives:
            told = (name, foreign) in brief[: BRIEF[mode]]
            marks = () if told else pytest.mark.slow
            label = f"{mode}-{name}-{foreign}"
            yield pytest.param(mode, name, foreign, marks=marks, id=label)


@pytest.mark.parametrize(("mode", "name", "foreign"), [*watched_lives()])
def test_a_healthy_chip_alarms_no_mode_and_its_numbers_are_the_same(
    mode, name, foreign
):
    with ExitStack() as modes:
        for enter in MODES[mode]:
            modes.enter_context(enter())
        watched = life(DEVICES[name], foreign=foreign)
    for a, b in zip(plain(name, foreign), watched, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
def test_no_chip_of_a_population_holds_a_nan(rate):
    spread = ej.Spread(cell_to_cell={"write_noise": 0.3}, stuck_rate=rate)
    with jax.debug_nans(True):
        chips = ej.sample_chips(jr.key(0), 3, ej.Crossbar(), W, spread)
    for leaf in jax.tree.leaves(chips):
        assert not np.any(np.isnan(leaf))


def test_what_has_diverged_alarms_debug_nans():
    tx = ej.program(ej.Crossbar(), key=jr.key(0))
    broken = jax.tree.map(lambda x: x.at[0].set(jnp.inf), W)
    with jax.debug_nans(True), pytest.raises(FloatingPointError):
        tx.update(broken, tx.init(W), W)


# Other precisions

two_devices = pytest.mark.parametrize(
    "name", ["additive error", pytest.param("phase change", marks=pytest.mark.slow)]
)


@two_devices
def test_double_precision_trains_in_double_precision(name, x64):
    double = jax.tree.map(lambda x: jnp.asarray(np.asarray(x), jnp.float64), W)
    w, seen, y, ratio = life(DEVICES[name], double)
    assert {w.dtype, seen.dtype, y.dtype} == {jnp.dtype("float64")}
    assert np.all(np.isfinite(w))
    assert ratio > 0


@two_devices
def test_single_precision_stays_single_where_double_is_switched_on(name, x64):
    single = jax.tree.map(lambda x: jnp.asarray(np.asarray(x), jnp.float32), W)
    w, seen, _, _ = life(DEVICES[name], single)
    assert {w.dtype, seen.dtype} == {jnp.dtype("float32")}


@pytest.mark.parametrize("name", DEVICES)
def test_half_precision_weights_stay_half_and_their_cells_are_single(name):
    half = jax.tree.map(lambda x: x.astype(jnp.bfloat16), W)
    w, seen, y, ratio = life(DEVICES[name], half)
    assert w.dtype == y.dtype == jnp.bfloat16
    assert seen.dtype == jnp.float32
    assert np.all(np.isfinite(np.asarray(w, float)))
    assert ratio > 0


def test_small_steps_of_half_precision_weights_are_not_lost_in_rounding():
    quiet = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0))
    tx, w = ej.program(quiet, key=jr.key(0)), jnp.ones((8, 8), jnp.bfloat16)
    state, update = tx.init(w), jax.jit(tx.update)
    for _ in range(16):
        updates, state = update(jnp.full_like(w, 2.0**-10), state, w)
        w = optax.apply_updates(w, updates)
    held = ej.array.weights(quiet, ej.view(state)[""])
    assert np.all(abs(np.asarray(w, float) - np.asarray(held, float)) <= 2.0**-7)
    np.testing.assert_allclose(held, 1 + 2.0**-6, atol=2.0**-8)


# Keys


def makers():
    chip = lambda key: ej.sample_chip(key, 0, ej.Crossbar(), W, ej.Spread())  # noqa: E731
    _, arrays = ej.deploy(jr.key(0), ej.Crossbar(), W)
    return {
        "eapu": lambda key: ej.eapu(0.1, key=key),
        "program": lambda key: ej.program(ej.Crossbar(), key=key),
        "deploy": lambda key: ej.deploy(key, ej.Crossbar(), W),
        "sample_chip": chip,
        "sample_chips": lambda key: ej.sample_chips(
            key, 2, ej.Crossbar(), W, ej.Spread()
        ),
        "wrap": lambda key: ej.wrap(W, arrays, key, ej.Crossbar()),
        "read": lambda key: ej.array.read(key, ej.Crossbar(), arrays["kernel"]),
    }


@pytest.mark.parametrize("impl", ["rbg", "unsafe_rbg"])
@pytest.mark.parametrize("name", makers())
def test_keys_that_draw_otherwise_in_a_batch_are_refused(name, impl):
    with pytest.raises(ValueError, match=f"got one of {impl}"):
        makers()[name](jr.key(0, impl=impl))


def test_the_key_of_a_state_is_of_the_kind_that_its_user_chose():
    plain, named = jr.key(5), jr.key(5, impl="threefry2x32")
    first, second = (ej.eapu(0.5, key=key) for key in (plain, named))
    a, b = (tx.update(W, tx.init(W))[0]["kernel"] for tx in (first, second))
    np.testing.assert_array_equal(a, b)


# NNX


@pytest.mark.parametrize("pure", [False, True], ids=["nnx.State", "pure dict"])
def test_an_nnx_model_trains_on_a_chip_with_stuck_cells(pure):
    model, key = nnx.Linear(8, 8, rngs=nnx.Rngs(0)), jr.key(0)
    params = nnx.state(model, nnx.Param)
    tree = nnx.as_pure(params) if pure else params
    chip = ej.sample_chip(key, 0, ej.Crossbar(), tree, ej.Spread(stuck_rate=0.3))
    gate, array = ej.eapu(1 / 80, key=jr.key(1)), ej.program(chip, key=jr.key(2))
    tx = optax.chain(optax.sgd(0.1), gate, array)
    optimizer = nnx.Optimizer(model, tx, wrt=nnx.Param)
    x = jnp.linspace(-1, 1, 32).reshape(4, 8)

    @nnx.jit
    def step(model, optimizer):
        loss, slopes = nnx.value_and_grad(lambda m: jnp.mean(m(x) ** 2))(model)
        optimizer.update(model, slopes)
        return loss

    losses = [float(step(model, optimizer)) for _ in range(20)]
    assert losses[-1] < losses[0]
