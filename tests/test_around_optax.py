"""The chain inside everything that optax wraps around a chain, and beside it.

`params` are the read-out of the arrays; what differs from it is foreign: counted at
the next update, and asked of the arrays. This is held for every wrapper, on one toy:
a quadratic whose gradient is the distance to the optimum.
"""

from functools import cache

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import optax
import pytest
from optax import contrib

import eapu_jax as ej

BEST = jnp.linspace(-0.5, 0.5, 64).reshape(8, 8)
SGD = optax.sgd(0.1)
STEPS = 40
ROUNDING = 2 * float(jnp.finfo(jnp.float32).eps)  # weights are at most about 1


@pytest.fixture(autouse=True)
def as_optax_needs():
    """optax multiplies floats by integers, which strict mode refuses."""
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        yield


def weights():
    return {"bias": jnp.ones(8), "kernel": jnp.ones((8, 8))}


def slopes(w):
    return {"bias": w["bias"], "kernel": w["kernel"] - BEST}


def loss(w):
    return float(sum(jnp.sum(x**2) for x in jax.tree.leaves(slopes(w))))


def crossbar(write_noise):
    return ej.Crossbar(device=ej.AdditiveError(write_noise=write_noise))


def on_chip(write_noise=1.0, threshold=1 / 80):
    """What ends a chain on the arrays, given its optimiser."""

    def end(optimiser=SGD):
        gate = ej.eapu(threshold, key=jr.key(1))
        array = ej.program(crossbar(write_noise), key=jr.key(2))
        return optax.chain(optimiser, gate, array)

    return end


def labelled(end):
    return optax.partition(
        {"array": end(), "digital": SGD}, {"bias": "digital", "kernel": "array"}
    )


def averaged_behind(end):
    return optax.chain(end(), optax.ema(0.5))


def looking_ahead(end):
    return optax.lookahead(end(), sync_period=3, slow_step_size=0.5)


# What leaves the weights as the arrays read them, and what changes them behind.
CLEAN = {
    "MultiSteps": lambda end: optax.MultiSteps(end(), 2),
    "inject_hyperparams": lambda end: optax.inject_hyperparams(
        lambda lr: end(optax.sgd(lr))
    )(lr=0.1),
    "apply_if_finite": lambda end: optax.apply_if_finite(end(), 3),
    "masked": lambda end: optax.chain(
        SGD, optax.masked(end(optax.identity()), {"bias": False, "kernel": True})
    ),
    "partition": labelled,
    "ema of updates": lambda end: end(optax.chain(SGD, optax.ema(0.5))),
    "muon": lambda end: end(contrib.muon(0.1)),
    "lion": lambda end: end(optax.lion(0.02)),
    "adafactor": lambda end: end(optax.adafactor(0.05)),
}
BEHIND = {
    "ema behind program": averaged_behind,
    "decay behind program": lambda end: optax.chain(
        end(), optax.add_decayed_weights(-1e-2)
    ),
    "schedule_free": lambda end: contrib.schedule_free(end(), 0.1, b1=0.5),
    "lookahead": looking_ahead,
}
WRAPPERS = CLEAN | BEHIND
every_wrapper = pytest.mark.parametrize("name", WRAPPERS)


def build(name, end):
    """The wrapper, its first weights, and what it takes for their gradient."""
    tx = WRAPPERS[name](end)
    if name == "lookahead":
        w = optax.LookaheadParams.init_synced(weights())
        return tx, w, lambda w: w.fast
    return tx, weights(), lambda w: w


def trained(name, end):
    """Weights and states from the first to the last, stacked."""
    tx, w, fast = build(name, end)

    def step(carry, _):
        w, state = carry
        updates, state = tx.update(slopes(fast(w)), state, w)
        carry = optax.apply_updates(w, updates), state
        return carry, carry

    first = w, tx.init(w)
    rest = jax.lax.scan(step, first, length=STEPS)[1]
    lay = lambda a, b: jnp.concatenate([a[None], b])  # noqa: E731
    w, state = jax.tree.map(lay, first, rest)
    return fast(w), state


@cache
def compiled(name):
    """One program for the quiet chip and the noisy one."""

    def run(write_noise, threshold):
        w, state = trained(name, on_chip(write_noise, threshold))
        arrays = jax.vmap(lambda s: ej.view(s)["kernel"])(state)
        chip = crossbar(write_noise)
        return w, jax.vmap(lambda a: ej.array.weights(chip, a))(arrays), arrays.ledger

    return jax.jit(run)


@every_wrapper
def test_weights_are_the_read_out_or_are_counted_as_foreign_at_the_next_step(name):
    w, read_out, ledger = compiled(name)(1.0, 1 / 80)
    differs = np.abs(w["kernel"] - read_out)
    found = np.diff(np.asarray(ledger.foreign)[:, 1].astype(int))
    if name in CLEAN:
        assert differs.max() <= ROUNDING
        assert not found.any()
    else:
        assert found.any()
        more, fewer = ((differs[:-1] > f * ROUNDING).sum((1, 2)) for f in (0.1, 2))
        assert np.all((fewer <= found) & (found <= more))


@every_wrapper
def test_without_noise_or_gate_it_is_the_wrapped_optimiser_and_nothing_is_lost(name):
    on_array, _, _ = compiled(name)(0.0, 1e-30)
    alone, _ = jax.jit(lambda: trained(name, lambda optimiser=SGD: optimiser))()
    for path, w in alone.items():
        np.testing.assert_allclose(on_array[path], w, atol=2e-5, err_msg=path)


@every_wrapper
def test_a_noisy_chip_goes_down_the_hill(name):
    w, _, _ = compiled(name)(1.0, 1 / 80)
    end = jax.tree.map(lambda x: x[-1], w)
    assert loss(end) < 0.5 * loss(weights())


# One step at a time


def test_a_gradient_that_is_no_number_leaves_the_array_and_its_counts_alone():
    tx = optax.apply_if_finite(on_chip()(), 3)
    w, update = weights(), jax.jit(tx.update)
    _, state = update(slopes(w), tx.init(w), w)
    broken = jax.tree.map(lambda x: x.at[0].set(jnp.nan), slopes(w))
    updates, after = update(broken, state, w)
    assert not any(np.any(x) for x in jax.tree.leaves(updates))
    before, now = (ej.view(s)["kernel"] for s in (state, after))
    for a, b in zip(jax.tree.leaves(before), jax.tree.leaves(now), strict=True):
        np.testing.assert_array_equal(a, b)
    assert ej.totals(after) == ej.totals(state)
    assert int(after.total_notfinite) == 1


def test_a_threshold_turned_while_training_serves_from_the_next_step_on():
    def build(lr, threshold):
        return on_chip(threshold=threshold)(optax.sgd(lr))

    tx, w, traces = optax.inject_hyperparams(build)(0.1, 1e-9), weights(), []

    @jax.jit
    def step(w, state):
        traces.append(1)
        updates, state = tx.update(slopes(w), state, w)
        return optax.apply_updates(w, updates), state

    state, ratios = tx.init(w), []
    for threshold in (1e-9, 1e6, 1e-9):
        state.hyperparams["threshold"] = jnp.float32(threshold)
        w, state = step(w, state)
        ratios.append(float(ej.update_ratio(state)))
    assert (ratios, len(traces)) == ([1, 0, 1], 1)


def test_an_average_of_the_weights_beside_the_chain_leaves_the_array_alone():
    tx, mean = on_chip()(), optax.ema(0.5, debias=False)
    w = weights()
    state, averaged = tx.init(w), mean.init(w)
    for _ in range(3):
        updates, state = tx.update(slopes(w), state, w)
        w = optax.apply_updates(w, updates)
        read, averaged = mean.update(w, averaged)
    assert ej.totals(state)["foreign"] == 0
    assert not np.allclose(read["kernel"], w["kernel"])


def test_what_is_averaged_behind_program_moves_cells_and_all_of_it_is_counted():
    tx = optax.chain(on_chip(threshold=2 / 80)(optax.sgd(1e-3)), optax.ema(0.9))
    w, moved = {"kernel": jr.normal(jr.key(0), (8, 8)), "bias": jnp.ones(8)}, []
    state, update = tx.init(w), jax.jit(tx.update)
    for _ in range(5):
        before = ej.view(state)["kernel"]
        updates, state = update(slopes(w), state, w)
        w = optax.apply_updates(w, updates)
        now = ej.view(state)["kernel"]
        moved.append(np.sum(now.cells.g != before.cells.g))
        assert moved[-1] == ej.totals(state)["written"]
        assert np.all((now.cells.g == before.cells.g) | (now.ledger.writes > 0))
    assert ej.totals(state)["foreign"] > 0


def test_weights_that_are_frozen_or_on_other_arrays_are_counted_by_themselves():
    w = {"base": jnp.ones((8, 8)), "A": jnp.ones((8, 2)), "B": jnp.zeros((2, 8))}
    trained, frozen = on_chip(threshold=1e-9)(SGD), optax.set_to_zero()
    tx = optax.partition({"t": trained, "f": frozen}, {"base": "f", "A": "t", "B": "t"})
    ones = jax.tree.map(jnp.ones_like, w)
    updates, state = tx.update(ones, tx.init(w), w)
    assert not updates["base"].any()
    assert {p: int(n.sum()) for p, n in ej.writes_per_cell(state).items()} == {
        "A": 16,
        "B": 16,
    }


def test_two_arrays_of_one_optimizer_are_counted_together():
    w = {"a": jnp.ones((8, 8)), "b": jnp.ones((4, 8))}
    ends = {p: ej.program(crossbar(1.0), key=jr.key(n)) for n, p in enumerate("ab")}
    tx = optax.multi_transform(ends, {"a": "a", "b": "b"})
    asked = {"a": 0.01 * w["a"], "b": 0 * w["b"]}
    _, state = tx.update(asked, tx.init(w), w)
    assert ej.update_ratio(state) == pytest.approx(64 / 96)
    assert ej.layer_update_ratio(state) == {"a": 1, "b": 0}
    assert ej.totals(state)["up"] == 64


# Orders that make no sense

GATE = ej.eapu(1 / 80, key=jr.key(1))
ARRAY = ej.program(crossbar(1.0), key=jr.key(2))
GATES = {
    "eapu": GATE,
    "drop_below": ej.drop_below(1 / 80),
    "lift_above": ej.lift_above(1 / 80),
}


def refused(*links, words):
    tx, w = optax.chain(SGD, *links), weights()
    for update in (tx.update, jax.jit(tx.update)):
        with pytest.raises(ValueError, match=words):
            update(slopes(w), tx.init(w), w)


@pytest.mark.parametrize("name", [*GATES, "write_all"])
def test_a_gate_behind_program_is_refused(name):
    gate = GATES.get(name, ej.write_all())
    refused(ARRAY, gate, words=f"{name} must come before `program`")


def test_a_second_program_is_refused():
    refused(GATE, ARRAY, ARRAY, words="program must come .* once")


@pytest.mark.parametrize("first", GATES)
@pytest.mark.parametrize("second", GATES)
def test_a_second_gate_is_refused(first, second):
    words = f"{second} must be the only gate .* `{first}`"
    refused(GATES[first], GATES[second], ARRAY, words=words)


@pytest.mark.parametrize("first", GATES)
def test_what_a_gate_has_decided_is_not_asked_for_as_a_whole(first):
    words = f"write_all must be the only gate .* `{first}`"
    refused(GATES[first], ej.write_all(), ARRAY, words=words)


def test_gates_of_unlike_leaves_stand_side_by_side():
    other = ej.eapu(1.0, key=jr.key(3), place=lambda path, _: "digital: not here")
    tx, w = optax.chain(SGD, GATE, other, ARRAY), weights()
    tx.update(slopes(w), tx.init(w), w)


@pytest.mark.parametrize(
    "ask", [ej.view, ej.writes_per_cell, ej.update_ratio, ej.layer_update_ratio,
            ej.pulses_per_cell, ej.totals],
)  # fmt: skip
def test_a_chain_that_ends_with_a_gate_has_no_array_to_count(ask):
    tx, w = optax.chain(SGD, GATE), weights()
    _, state = tx.update(slopes(w), tx.init(w), w)
    with pytest.raises(ValueError, match="`eapu` alone writes no array"):
        ask(state)


SILENT = {
    "soft bounds": ej.SoftBounds(pulse=3.0, write_noise=1.0),
    "linear step": ej.LinearStep(pulse=3.0),
    "of 9 levels": ej.FiniteLevels(device=ej.SoftBounds(), levels=9),
    "wearing": ej.Wearing(device=ej.SoftBounds(pulse=3.0)),
}


@pytest.mark.parametrize("name", SILENT)
def test_a_threshold_that_no_pulse_answers_is_refused_and_just_above_it_is_not(name):
    chip, w = ej.Crossbar(device=SILENT[name]), weights()
    least = float(SILENT[name].smallest_request()) / 80
    for threshold, silent in ((0.9 * least, True), (1.1 * least, False)):
        gate = ej.eapu(threshold, key=jr.key(1))
        tx = optax.chain(SGD, gate, ej.program(chip, key=jr.key(2)))
        update = jax.jit(tx.update)
        if silent:
            with pytest.raises(ValueError, match="threshold of eapu for 'kernel'"):
                update(slopes(w), tx.init(w), w)
        else:
            _, state = update(slopes(w), tx.init(w), w)
            assert ej.totals(state)["written"] > 0


# A checkpoint that is loaded


@pytest.mark.parametrize(
    "encoding", [ej.SingleCell(), ej.DifferentialPair(), ej.OffsetColumn(rest=0.0)]
)
def test_loaded_weights_are_set_where_they_differ_without_a_pulse(encoding):
    device = ej.AdditiveError(write_noise=2.0)
    chip = ej.Crossbar(device=device, encoding=encoding)
    tx = ej.program(chip, key=jr.key(0), foreign="set")
    w = jnp.linspace(-1, 1, 64).reshape(8, 8)
    changed = jnp.arange(64).reshape(8, 8) % 3 == 0
    _, state = tx.update(0 * w + 0.1, tx.init(w), w)
    before = ej.view(state)[""]
    held = ej.array.weights(chip, before)
    loaded = jnp.where(changed, 0.7 - held, held)
    updates, state = jax.jit(tx.update)(0 * w, state, loaded)
    after = ej.view(state)[""]
    now = ej.array.weights(chip, after)
    np.testing.assert_allclose(now, loaded, atol=1e-5)
    np.testing.assert_allclose(loaded + updates, now, atol=1e-5)
    moved = encoding.touched(after.cells.g != before.cells.g)
    np.testing.assert_array_equal(moved & ~changed, False)
    np.testing.assert_array_equal(after.ledger.writes, before.ledger.writes)
    assert ej.totals(state)["foreign"] == changed.sum()
