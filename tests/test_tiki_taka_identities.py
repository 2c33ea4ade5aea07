"""What defines each rule with several arrays, against a recursion in plain NumPy.

The devices are ideal unless a test says otherwise: what is left is the rule. The
recursions are written down from the published equations, in double precision; the
tolerance is that of single precision over the steps.
"""

from itertools import pairwise

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest

import eapu_jax as ej
from tests.several_arrays import QUIET, followed, stand
from tests.statistics import assert_mean, assert_rate

N, OUT, STEPS = 3, 4, 25
ASKS = np.random.default_rng(0).normal(0, 0.1, (STEPS, N, OUT)).astype(np.float32)
W = jnp.linspace(-0.5, 0.5, N * OUT, dtype=jnp.float32).reshape(N, OUT)
CLOSE = {"rtol": 0, "atol": 2e-5}
KEY = jr.key(0)
every_so_often = pytest.mark.parametrize("every", [1, 2])


def lines(every):
    """Which line is transferred at which step, None where none is."""
    return [
        (t // every) % N if (t + 1) % every == 0 else None for t in range(len(ASKS))
    ]


def close(a, b):
    np.testing.assert_allclose(a, b, **CLOSE)


@every_so_often
@pytest.mark.parametrize("gamma", [0.0, 0.3])
def test_tiki_taka_adds_what_is_read_of_the_line_whose_turn_it_is(every, gamma):
    rule = ej.tiki_taka(QUIET, QUIET, key=KEY, rate=0.5, every=every, gamma=gamma)
    a, c = np.zeros((N, OUT)), np.array(W, float)
    path = followed(rule, ASKS, W)
    for dw, i, (w, state) in zip(ASKS, lines(every), path[1:], strict=True):
        a += dw
        if i is not None:
            c[i] += 0.5 * a[i]
        held = stand(QUIET, state)
        close(held["fast"], a)
        close(held["slow"], c)
        close(w, c + gamma * a)


def test_the_fast_array_moves_pulse_by_pulse_as_its_device_does():
    """A linear step without noise: each pulse moves by p (1 -+ s x)."""
    p, s = 4.0, 0.5
    device = ej.LinearStep(pulse=p, slope_up=s, slope_down=s, write_noise=0.0)
    rule = ej.tiki_taka(ej.Crossbar(device=device), QUIET, key=KEY, rate=0.5)
    n = np.random.default_rng(1).integers(-2, 3, ASKS.shape)
    g, c = np.zeros((N, OUT)), np.array(W, float)
    path = followed(rule, (n * p / 80).astype(np.float32), W)
    for sent, i, (w, _) in zip(n, lines(1), path[1:], strict=True):
        for k in range(2):
            sign = np.sign(sent) * (np.abs(sent) > k)
            g += sign * p * (1 - sign * s * g / 80)
        c[i] += 0.5 * g[i] / 80
        close(w, c)


def buffered(h, c, grown, theta, momentum, forget, most, step):
    """The buffer of IBM's kit, one line."""
    h = h + grown
    n = np.clip(np.trunc(h / theta), -most, most)
    kept = (
        np.where(n != 0, momentum * h, h) if forget else h - (1 - momentum) * n * theta
    )
    return kept, c + n * (theta if step is None else step)


@every_so_often
@pytest.mark.parametrize("forget", [True, False])
@pytest.mark.parametrize("step", [None, 0.05])
def test_the_buffer_sends_what_is_over_the_threshold_and_keeps_the_rest(
    every, forget, step
):
    how = {"momentum": 0.2, "most": 2, "step": step}
    rule = ej.tiki_taka_v2(
        QUIET, QUIET, threshold=0.07, key=KEY, rate=0.6, every=every,
        forget_buffer=forget, **how,
    )  # fmt: skip
    a, h, c = np.zeros((N, OUT)), np.zeros((N, OUT)), np.array(W, float)
    path = followed(rule, ASKS, W)
    for dw, i, (w, state) in zip(ASKS, lines(every), path[1:], strict=True):
        a += dw
        if i is not None:
            h[i], c[i] = buffered(h[i], c[i], 0.6 * a[i], 0.07, forget=forget, **how)
        close(state.memory["buffer"][""], h)
        close(w, c)
    assert np.abs(c - np.asarray(W)).max() > 0.07


def test_a_buffer_that_forgets_nothing_conserves_what_was_read():
    rule = ej.tiki_taka_v2(
        QUIET, QUIET, threshold=0.07, key=KEY, rate=0.6, momentum=0.0,
        forget_buffer=False, most=10**6,
    )  # fmt: skip
    read = np.zeros((N, OUT))
    path = followed(rule, ASKS, W)
    for i, (w, state) in zip(lines(1), path[1:], strict=True):
        read[i] += 0.6 * np.asarray(stand(QUIET, state)["fast"])[i]
        close(w + state.memory["buffer"][""], np.asarray(W) + read)
        assert np.abs(state.memory["buffer"][""]).max() < 0.07


@every_so_often
@pytest.mark.parametrize("gamma", [0.0, 0.3])
def test_choppers_sign_what_is_written_read_and_in_the_weight(every, gamma):
    how = {"momentum": 0.2, "most": 2, "step": None}
    rule = ej.chopped_tiki_taka(
        QUIET, QUIET, threshold=0.07, key=KEY, rate=0.6, every=every, flip=0.5,
        gamma=gamma, **how,
    )  # fmt: skip
    a, h, c = np.zeros((N, OUT)), np.zeros((N, OUT)), np.array(W, float)
    path, turned = followed(rule, ASKS, W), 0
    signs = [np.asarray(state.memory["chop"][""], float) for _, state in path]
    for t, (dw, i) in enumerate(zip(ASKS, lines(every), strict=True)):
        w, state = path[t + 1]
        a += signs[t] * dw
        if i is not None:
            grown = 0.6 * signs[t][i] * a[i]
            h[i], c[i] = buffered(h[i], c[i], grown, 0.07, forget=True, **how)
        close(state.memory["buffer"][""], h)
        close(w, c + gamma * signs[t + 1] * a)
        moved = np.flatnonzero((signs[t + 1] != signs[t])[:, 0])
        assert set(moved) <= {i}  # only after its own read
        turned += len(moved)
    assert turned > 3


def test_choppers_turn_with_their_probability_each_by_itself():
    rule = ej.chopped_tiki_taka(QUIET, QUIET, threshold=1.0, key=KEY, flip=0.2)
    many = jnp.zeros((300, 20, 2))  # matrices side by side, a chopper per line
    path = followed(rule, [many] * 20, many)
    turns = sum(
        int((b.memory["chop"][""] != a.memory["chop"][""]).sum())
        for (_, a), (_, b) in pairwise(path)
    )
    assert_rate(turns, 300 * 20, 0.2)


def test_an_update_moves_the_weight_alike_under_either_sign():
    """The chopper cancels in the forward weight: gamma c c dW = gamma dW."""
    rule = ej.residual_learning_v2(
        QUIET, QUIET, threshold=100.0, key=KEY, flip=0.5, gamma=0.25, every=2
    )
    path = followed(rule, ASKS, W)
    for t in range(0, len(ASKS), 2):  # no transfer, so no turn, at even steps
        close(path[t + 1][0] - path[t][0], 0.25 * ASKS[t])
    last = path[-1][1].memory["chop"][""]
    assert len(np.unique(last)) == 2
    for t in range(1, len(ASKS), 2):
        a = np.asarray(stand(QUIET, path[t + 1][1])["fast"])
        was, now = (path[s][1].memory["chop"][""] for s in (t, t + 1))
        close(path[t + 1][0] - path[t][0], 0.25 * ASKS[t] + 0.25 * (now - was) * a)


def offset(rule, chips=200):
    """C of many lines whose fast cells are stuck off zero, after 60 reads of each."""
    stuck = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0), stuck_at=8.0)
    nothing = np.zeros((60, chips, 1, 1), np.float32)
    how = {"threshold": 0.02, "momentum": 0.0, "forget_buffer": False, "most": 100}
    tx = rule(stuck, QUIET, key=KEY, **how)
    return np.asarray(followed(tx, nothing, jnp.zeros((chips, 1, 1)))[-1][0]).ravel()


def test_an_offset_of_the_fast_array_cancels_under_choppers_alone():
    np.testing.assert_allclose(offset(ej.tiki_taka_v2), 60 * 0.1, atol=0.021)
    chopped = offset(lambda *a, **k: ej.chopped_tiki_taka(*a, flip=0.5, **k))
    assert_mean(chopped, 0.0)
    assert chopped.std() > 0.1  # it did arrive, under both signs
    regular = offset(lambda *a, **k: ej.agad(*a, reads=5, gate=0.0, **k))
    np.testing.assert_array_equal(regular, 0)


def half_periods(reads, every=1):
    """What AGAD has in its memory and its slow array, by NumPy."""
    a, c = np.zeros((N, OUT)), np.array(W, float)
    h, past, seen = np.zeros((N, OUT)), [None] * N, [[] for _ in range(N)]
    for dw, i in zip(ASKS, lines(every), strict=True):
        chop = [1 - 2 * (len(s) // reads % 2) for s in seen]
        a += np.array(chop)[:, None] * dw
        if i is not None:
            seen[i].append(a[i].copy())
            if len(seen[i]) % reads == 0:
                new = np.array(seen[i][-reads:])
                mean, error = new.mean(0), new.var(0, ddof=1) / reads
                grown = np.zeros(OUT)
                if past[i] is not None:
                    noise = np.sqrt(error + past[i][1])
                    passes = np.abs(mean - past[i][0]) > 0.5 * noise
                    grown = 0.6 * chop[i] * (mean - past[i][0]) * passes
                past[i] = mean, error
                h[i] += grown
            n = np.trunc(h[i] / 0.03)
            h[i] -= n * 0.03
            c[i] += n * 0.03
        yield a.copy(), h.copy(), c.copy()


@every_so_often
def test_agad_holds_means_of_half_periods_against_each_other(every):
    rule = ej.agad(
        QUIET, QUIET, threshold=0.03, key=KEY, rate=0.6, every=every, reads=2, gate=0.5,
        momentum=0.0, forget_buffer=False, most=10**6,
    )  # fmt: skip
    path = followed(rule, ASKS, W)
    expected = list(half_periods(2, every))
    for (a, h, c), (w, state) in zip(expected, path[1:], strict=True):
        close(stand(QUIET, state)["fast"], a)
        close(state.memory["buffer"][""], h)
        close(w, c)
    assert np.abs(c - np.asarray(W)).max() > 0.03


def test_differences_of_means_sum_up_to_what_the_kit_adds_read_by_read():
    """Its code adds c (read - past mean) at every read: L times our difference."""
    reads, x = 4, np.random.default_rng(2).normal(size=(3, 4))
    past, c = x[0].mean(), -1
    by_read = sum(c * (one - past) for one in x[1])
    np.testing.assert_allclose(by_read, reads * c * (x[1].mean() - past))
    asks = np.zeros((8, 1, 1), np.float32)
    asks[:4] = np.diff(x[0], prepend=0).reshape(4, 1, 1)
    asks[4:] = -np.diff(x[1], prepend=x[0][-1]).reshape(4, 1, 1)  # under c = -1
    rule = ej.agad(
        QUIET, QUIET, threshold=1e3, key=KEY, rate=float(reads), reads=reads, gate=0.0
    )
    _, state = followed(rule, asks, jnp.zeros((1, 1)))[-1]
    np.testing.assert_allclose(state.memory["buffer"][""][0, 0], by_read, rtol=1e-4)


def test_the_gate_of_agad_lets_noise_pass_as_often_as_it_should():
    """Two means of 10 reads of noise differ by over 2 errors as a t law says."""
    from scipy import stats

    noisy = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0, read_noise=1.0))
    rule = ej.agad(noisy, QUIET, threshold=1e9, key=KEY, rate=1.0, reads=10, gate=2.0)
    nothing = jnp.zeros((5000, 1, 1))
    _, state = followed(rule, [nothing] * 20, nothing)[-1]
    passed = int((state.memory["buffer"][""] != 0).sum())
    assert_rate(passed, 5000, 2 * stats.t.sf(2.0, 18))


@pytest.mark.parametrize("tiles", [1, 2, 4])
def test_many_tiles_hand_on_from_the_finest_to_the_coarsest(tiles):
    every, rate = [4, 2, 1][: tiles - 1], [0.2, 0.3, 0.5][: tiles - 1]
    rule = ej.multi_tile([QUIET] * tiles, key=KEY, gamma=0.5, rate=rate, every=every)
    held = np.zeros((tiles, N, OUT))
    held[0] = W
    path = followed(rule, ASKS, W)
    for t, dw in enumerate(ASKS):
        held[-1] += dw
        for n in reversed(range(tiles - 1)):
            i = lines(every[n])[t]
            if i is not None:
                held[n, i] += rate[n] * held[n + 1, i]
        w, state = path[t + 1]
        for n in range(tiles):
            close(stand(QUIET, state)[f"tile{n}"], held[n])
        close(w, np.tensordot(0.5 ** np.arange(tiles), held, 1))


def test_two_tiles_are_residual_learning():
    two = ej.multi_tile([QUIET] * 2, key=KEY, gamma=0.4, rate=0.5, every=1)
    one = ej.residual_learning(QUIET, QUIET, key=KEY, gamma=0.4, rate=0.5)
    a, b = (followed(rule, ASKS, W)[-1][0] for rule in (two, one))
    close(a, b)


@every_so_often
def test_low_rank_collects_by_the_chain_rule_and_empties_the_line_it_moves(every):
    rule = ej.low_rank_tiki_taka(
        QUIET, QUIET, rank=2, key=KEY, rate=0.5, gamma=0.8, every=every
    )
    path = followed(rule, ASKS, W)
    start = stand(QUIET, path[0][1])
    u, v, c = (np.array(start[t], float) for t in ("down", "up", "slow"))
    assert not u.any()
    for dw, i, (w, state) in zip(ASKS, lines(every), path[1:], strict=True):
        u, v = u + dw @ v.T, v + u.T @ dw
        if i is not None:
            c[i] += 0.5 * u[i] @ v
            u[i] = 0
        held = stand(QUIET, state)
        close(held["down"], u)
        close(held["up"], v)
        close(w, c + 0.8 * u @ v)


def test_a_transfer_of_low_rank_moves_the_weight_and_does_not_change_it():
    rule = ej.low_rank_tiki_taka(QUIET, QUIET, rank=2, key=KEY, gamma=0.8, every=2)
    asks = np.array(ASKS)
    asks[1::2] = 0  # the steps that have a transfer
    path = followed(rule, asks, W)
    for t in range(1, STEPS, 2):
        close(path[t + 1][0], path[t][0])
        a, b = (stand(QUIET, path[s][1])["slow"] for s in (t, t + 1))
        assert np.abs(a - b).max() > 1e-3


def test_the_thin_array_starts_as_the_identity_in_the_mean():
    rule = ej.low_rank_tiki_taka(QUIET, QUIET, rank=3, key=KEY)
    state = rule.init(jnp.zeros((4000, 4, 5)))
    v = np.asarray(stand(QUIET, state)["up"])
    assert_mean(np.swapaxes(v, 1, 2) @ v, np.eye(5))


@every_so_often
def test_the_symmetric_point_is_tracked_read_by_read(every):
    rule = ej.track_symmetric_point(
        QUIET, QUIET, key=KEY, rate=0.5, every=every, gamma=0.3, smoothing=0.2, flip=0.5
    )
    a, q, c = np.zeros((N, OUT)), np.zeros((N, OUT)), np.array(W, float)
    path = followed(rule, ASKS, W)
    signs = [np.asarray(state.memory["chop"][""], float) for _, state in path]
    for t, (dw, i) in enumerate(zip(ASKS, lines(every), strict=True)):
        a += signs[t] * dw
        if i is not None:
            c[i] += 0.5 * signs[t][i] * (a[i] - q[i])
            q[i] += 0.2 * (a[i] - q[i])
        w, state = path[t + 1]
        close(state.memory["point"][""], q)
        close(w, c + 0.3 * signs[t + 1] * (a - q))


def test_the_point_found_is_where_random_pulses_leave_the_cells():
    """Soft bounds around 0.4: their middle, where up and down move alike."""
    device = ej.SoftBounds(g_min=0.0, g_max=64.0, pulse=3.2, write_noise=0.0)
    rule = ej.track_symmetric_point(
        ej.Crossbar(device=device), QUIET, key=KEY, rate=1e-6, smoothing=0.02
    )
    asks = 0.04 * jr.rademacher(jr.key(1), (600, 60, 1, 5), jnp.float32)
    state = rule.init(jnp.zeros((60, 1, 5)))

    def step(state, dw):
        return rule.update(dw, state, jnp.zeros_like(dw))[1], None

    state, _ = jax.lax.scan(step, state, asks)
    assert_mean(np.asarray(state.memory["point"][""]).ravel(), 32 / 80)


def test_residual_learning_rests_at_the_residual_of_a_slow_array_that_is_held():
    """A stuck slow array: the fast one ends at (W* - C) / gamma."""
    stuck = ej.Crossbar(device=ej.AdditiveError(write_noise=0.0), stuck_at=16.0)
    rule = ej.residual_learning(QUIET, stuck, key=KEY, gamma=0.4, rate=0.1)
    w, best = jnp.full((1, 1), 0.2), 0.5
    state, update = rule.init(w), jax.jit(rule.update)
    for _ in range(100):
        updates, state = update(0.5 * (best - w), state, w)
        w = w + updates
    np.testing.assert_allclose(w, best, rtol=1e-5)
    fast = stand(QUIET, state)["fast"]
    np.testing.assert_allclose(fast, (best - 0.2) / 0.4, rtol=1e-5)


def test_requests_below_a_pulse_arrive_in_the_mean():
    """What `program` would never answer: 0.3 pulses, up and down."""
    device = ej.SoftBounds(pulse=1.0, write_noise=0.0)
    crossbar = ej.Crossbar(device=device, r_wg=1.0)
    tx = ej.tiki_taka(crossbar, crossbar, key=KEY, rate=1e-9)
    w = jnp.zeros((20_000, 1))
    asked = jnp.where(jnp.arange(20_000)[:, None] % 2, 0.3, -1.7)
    _, state = tx.update(asked, tx.init(w), w)
    up, down = (float(x[1]) for x in state.tiles["fast"][""].ledger[1:3])
    assert_rate(up, 10_000, 0.3)
    assert_rate(down - 10_000, 10_000, 0.7)
