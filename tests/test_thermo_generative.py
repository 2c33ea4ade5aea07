"""Laws of the generative Langevin computer, against other ways to find them."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
from scipy import integrate

from tests.statistics import assert_mean, assert_within
from thermo import generative

pytestmark = pytest.mark.usefixtures("x64")

N_VISIBLE, N_HIDDEN, STEPS, DT = 4, 3, 80, 2.5e-3
KT = 0.1


def network(seed=0, size=0.3, **constants):
    """Random couplings and biases where they are allowed."""
    rng = np.random.default_rng(seed)
    blank = generative.untrained(N_VISIBLE, N_HIDDEN, **constants)
    j = rng.normal(size=(7, 7)) * size
    return replace(
        blank,
        coupling=jnp.asarray(np.asarray(blank.mask()) * (j + j.T)),
        bias=jnp.asarray(rng.normal(size=N_HIDDEN) * size),
    )


def drive(seed=1):
    return jnp.asarray(np.random.default_rng(seed).normal(size=7))


@cache
def _paths():
    with jax.enable_x64(True):
        blank = generative.untrained(N_VISIBLE, N_HIDDEN)
        made = [
            generative.noising(jr.key(i), blank, drive(i % 2), dt=DT, steps=STEPS)
            for i in range(6)
        ]
        return tuple(np.asarray(path) for path in made)


def paths():
    return [jnp.asarray(path) for path in _paths()]


def energy(net, x):
    """V of one state, term by term."""
    j, b = np.asarray(net.coupling), np.asarray(net.bias)
    v = sum(net.quadratic * a**2 + net.quartic * a**4 for a in x)
    v += sum(b[a] * x[N_VISIBLE + a] for a in range(N_HIDDEN))
    pairs = ((i, k) for i in range(7) for k in range(i))
    return float(v + sum(j[i, k] * x[i] * x[k] for i, k in pairs))


def test_energy_is_the_sum_over_units_and_pairs_and_slope_its_gradient():
    net = network(quadratic=0.7, quartic=1.3)
    x = np.random.default_rng(3).normal(size=7)
    assert np.isclose(net.energy(jnp.asarray(x)), energy(net, x), 1e-12)
    found = net.slope(jnp.asarray(x))
    for i, step in enumerate(1e-5 * np.eye(7)):
        numerical = (energy(net, x + step) - energy(net, x - step)) / 2e-5
        assert np.isclose(found[i], numerical, 1e-7, 1e-8)


def log_normal(moved, mean, variance):
    return float((-((moved - mean) ** 2) / (2 * variance)).sum())


def test_the_loss_is_the_log_probability_of_the_reversed_steps():
    net, path = network(mobility=0.8), np.asarray(paths()[0])
    variance = 2 * 0.8 * KT * DT
    total = 0.0
    for now, then in pairwise(path):
        mean = -0.8 * DT * np.asarray(net.slope(jnp.asarray(then)))
        total -= log_normal(now - then, mean, variance)
    found = generative.loss(net, jnp.asarray(path), DT)
    assert np.isclose(found, total, 1e-10)


def moved(net, i, k, by):
    coupling = net.coupling.at[i, k].add(by).at[k, i].add(by)
    return replace(net, coupling=coupling)


def test_the_slope_of_the_loss_is_that_of_finite_differences():
    net, path = network(temperature=0.2), paths()[0]
    found = generative.slope(net, path, DT)

    def numerical(up, down):
        both = (generative.loss(one, path, DT) for one in (up, down))
        return (next(both) - next(both)) / 2e-4

    for i in range(7):
        for k in range(i):
            if i < N_VISIBLE:
                assert found.coupling[i, k] == found.coupling[k, i] == 0
                continue
            expected = numerical(moved(net, i, k, 1e-4), moved(net, i, k, -1e-4))
            assert np.isclose(found.coupling[i, k], expected, 1e-7, 1e-6)
            assert np.isclose(found.coupling[k, i], expected, 1e-7, 1e-6)
    for a in range(N_HIDDEN):
        ends = (replace(net, bias=net.bias.at[a].add(s)) for s in (1e-4, -1e-4))
        assert np.isclose(found.bias[a], numerical(*ends), 1e-7, 1e-6)


def summed(net, some):
    each = [generative.sums(net, path, DT) for path in some]
    return jax.tree.map(lambda *x: sum(x), *each)


def dense(net, some):
    """Least squares with one column for every parameter, by NumPy."""
    pairs = [(i, k) for i in range(7) for k in range(i) if i >= N_VISIBLE]
    rows, wanted = [], []
    for path in map(np.asarray, some):
        for now, then in pairwise(path):
            block = np.zeros((7, len(pairs) + N_HIDDEN))
            for c, (i, k) in enumerate(pairs):
                block[i, c], block[k, c] = then[k], then[i]
            block[N_VISIBLE:, len(pairs) :] = np.eye(N_HIDDEN)
            rows.append(block)
            wanted.append((then - now) / DT - 2 * then - 4 * then**3)
    found = np.linalg.lstsq(np.concatenate(rows), np.concatenate(wanted))[0]
    return pairs, found


def test_the_optimum_is_that_of_dense_least_squares_and_its_slope_vanishes():
    some = paths()
    net = generative.optimum(network(5), summed(network(6), some), error=1e-13)
    pairs, found = dense(net, some)
    ours = [net.coupling[i, k] for i, k in pairs] + list(net.bias)
    np.testing.assert_allclose(ours, found, 1e-8, 1e-9)
    before = [generative.slope(network(5), path, DT) for path in some]
    after = [generative.slope(net, path, DT) for path in some]
    scale = np.abs(sum(s.coupling for s in before)).max()
    assert np.abs(sum(s.coupling for s in after)).max() < 1e-9 * scale
    assert np.abs(sum(s.bias for s in after)).max() < 1e-9 * scale
    net.check()


def test_going_downhill_long_enough_ends_at_the_optimum():
    path = paths()[0]
    blank = generative.untrained(N_VISIBLE, N_HIDDEN)
    best = generative.optimum(blank, summed(blank, [path]), error=1e-13)
    # half of the longest stable rate: the curvature is at most that of |x|^2 and 1
    curvature = (2 * (path**2).sum() + len(path)) * DT / (2 * KT)
    down = jax.jit(
        lambda net: jax.lax.fori_loop(
            0,
            40_000,
            lambda _, n: generative.batch_update(n, path, DT, 1 / curvature),
            net,
        )
    )(blank)
    least = generative.loss(best, path, DT)
    gap = generative.loss(blank, path, DT) - least
    assert gap > 1
    assert 0 <= generative.loss(down, path, DT) - least + 1e-9 < 1e-4 * gap


def test_online_training_updates_after_every_step_as_a_path_of_one_step_does():
    path, rate = paths()[0][:6], 0.02
    expected = network()
    for k in range(5):
        expected = generative.batch_update(expected, path[k : k + 2], DT, rate)
    found = generative.online_updates(network(), path, DT, rate)
    np.testing.assert_allclose(found.coupling, expected.coupling, 1e-12)
    np.testing.assert_allclose(found.bias, expected.bias, 1e-12)
    whole = generative.batch_update(network(), path, DT, rate)
    assert not np.allclose(found.bias, whole.bias, 1e-6)


def forces(steps):
    """a(t) of the noising, from its definition: t_f = 1."""
    t = np.arange(steps) / steps
    return np.where(t < 0.75, 2 * (1 - t / 0.75), 0)


def test_the_ratio_of_path_probabilities_is_the_identity_for_finite_steps():
    net, one = network(mobility=0.9, temperature=0.15), drive()
    path = generative.noising(jr.key(5), net, one, dt=DT, steps=STEPS)
    x, variance = np.asarray(path), 2 * 0.9 * 0.15 * DT
    ratio = 0.0
    for k, a in enumerate(forces(STEPS)):
        own = 2 * x[k] + 4 * x[k] ** 3 - a * np.asarray(one)
        back = np.asarray(net.slope(path[k + 1]))
        ratio += log_normal(x[k + 1] - x[k], -0.9 * DT * own, variance)
        ratio -= log_normal(x[k] - x[k + 1], -0.9 * DT * back, variance)
    found = generative.log_path_ratio(net, path, DT, one)
    assert np.isclose(found, ratio, 1e-10)


def relaxing(net, dt, fine, key=8):
    """Paths of one piece of noise, of which a coarser step sums more."""
    steps, x = round(1 / dt), jnp.full(7, 0.9)
    noise = jr.normal(jr.key(key), (steps, fine // steps, 7)).sum(1) / fine**0.5
    spread = (2 * net.mobility * net.temperature) ** 0.5

    def step(x, dw):
        x = x - net.mobility * dt * net.slope(x) + spread * dw
        return x, x

    return jnp.concatenate([x[None], jax.lax.scan(step, x, noise)[1]])


def test_heat_and_path_ratio_obey_the_first_law_the_better_the_finer_the_step():
    net = network(2)
    off = []
    for dt in (1 / 64, 1 / 512, 1 / 4096):
        path = relaxing(net, dt, 4096)
        ends = generative.heat(net, path[:1], path[-1:])[0]
        assert np.isclose(ends, energy(net, path[0]) - energy(net, path[-1]), 1e-10)
        # what is left: third differences of a quartic, and the energy of one step
        off.append(
            [
                abs(generative.path_heat(net, path) - ends),
                abs(KT * generative.log_path_ratio(net, path, dt) - ends),
            ]
        )
    assert ends > 5 * KT
    off = np.asarray(off) / float(ends)
    assert (off[1] < off[0] / 3).all()
    assert (off[2] < off[1] / 3).all()
    assert (off[2] < 1e-3).all()


def boltzmann(power, quadratic, quartic, temperature):
    def weight(x):
        return np.exp(-(quadratic * x**2 + quartic * x**4) / temperature)

    total = integrate.quad(weight, -np.inf, np.inf)[0]
    return integrate.quad(lambda x: x**power * weight(x), -np.inf, np.inf)[0] / total


@pytest.mark.parametrize("quadratic", [1.0, -0.5])
def test_one_uncoupled_unit_obeys_boltzmanns_law(quadratic):
    net = generative.untrained(1, 1, quadratic=quadratic, quartic=0.8, temperature=0.2)
    run = jax.jit(
        lambda dt: generative.generate(jr.key(3), net, 4000, dt=dt, steps=800).end
    )
    coarse, fine = (np.asarray(run(dt), float).ravel() for dt in (8e-3, 4e-3))
    for power in (1, 2, 4):
        expected = boltzmann(power, quadratic, 0.8, 0.2)
        # explicit steps err in proportion to their length: seen from two of them
        bias = abs((coarse**power).mean() - (fine**power).mean())
        error = (fine**power).std() / len(fine) ** 0.5
        assert_within((fine**power).mean(), expected, error + bias / 5)
        assert error < 0.05 * boltzmann(4, quadratic, 0.8, 0.2) ** (power / 4)


def test_generation_books_the_energy_that_its_units_lose():
    net = network(7)
    made = generative.generate(jr.key(4), net, 400, dt=DT, steps=200)
    start, end = (
        np.array([energy(net, row) for row in np.asarray(x)])
        for x in (made.start, made.end)
    )
    np.testing.assert_allclose(made.heat, start - end, 1e-9, 1e-9)
    # the switch leaves the units above their new equilibrium: they give heat away
    assert made.heat.mean() > 5 * made.heat.std() / 400**0.5


def test_noising_holds_the_image_then_lets_it_go():
    cold = generative.untrained(N_VISIBLE, N_HIDDEN, temperature=1e-12)
    path = np.asarray(generative.noising(jr.key(0), cold, drive(), dt=1e-3, steps=5000))
    held = [np.roots([4, 0, 2, -2 * d]) for d in np.asarray(drive())]
    real = [float(r[np.abs(r.imag) < 1e-9].real[0]) for r in held]
    np.testing.assert_allclose(path[0], real, 1e-3)
    # left alone for a quarter of the time, a unit forgets as exp(-2 t) or faster
    left = np.abs(path[-1]) / np.abs(path[3750])
    assert (left <= np.exp(-2 * 1.25) * 1.01).all()
    assert (left > 0).all()


def test_drives_are_normalised_images_and_what_hidden_units_see_of_them():
    seen = generative.projection(jr.key(1), 400, 300)
    assert seen.shape == (400, 300)
    squares = 400 * np.asarray(seen).ravel() ** 2
    assert_mean(squares, 1.0)
    image = np.random.default_rng(0).random(400)
    found = np.asarray(generative.driving(jnp.asarray(image), seen))
    expected = (image - image.mean()) / image.std()
    np.testing.assert_allclose(found[:400], expected, 1e-9)
    np.testing.assert_allclose(found[400:], expected @ np.asarray(seen), 1e-9)


def test_a_network_trained_on_one_image_makes_it_or_its_negative():
    rng = np.random.default_rng(2)
    image = jnp.asarray(rng.choice([0.0, 1.0], 36))
    blank = generative.untrained(36, 20)
    seen = generative.projection(jr.key(1), 36, 20)
    one = generative.driving(image, seen)

    def add(so_far, key):
        path = generative.noising(key, blank, one, dt=2.5e-3, steps=1000)
        return jax.tree.map(jnp.add, so_far, generative.sums(blank, path, 2.5e-3)), None

    @jax.jit
    def trained():
        keys = jr.split(jr.key(2), 40)
        path = generative.noising(keys[0], blank, one, dt=2.5e-3, steps=1000)
        start = generative.sums(blank, path, 2.5e-3)
        net = generative.optimum(blank, jax.lax.scan(add, start, keys[1:])[0])
        made = [
            generative.generate(jr.key(6), n, 60, dt=2.5e-3, steps=1000).end
            for n in (blank, net)
        ]
        return made

    chance, ours = (
        np.abs([np.corrcoef(x[:36], image)[0, 1] for x in np.asarray(made)])
        for made in trained()
    )
    # 1 / sqrt(n - 1) is the spread of chance
    assert_within((chance**2).mean(), 1 / 35, (chance**2).std() / 60**0.5)
    assert ours.mean() > 4 / 35**0.5


KEY = jr.key(0)
BLANK = generative.untrained(N_VISIBLE, N_HIDDEN)
PATH = jnp.zeros((4, 7)) + 0.1


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: generative.untrained(0, 3), "n_visible"),
        (lambda: generative.untrained(3, 3, temperature=0.0), "temperature"),
        (lambda: replace(BLANK, bias=jnp.zeros(7)).check(), "bias"),
        (lambda: moved(BLANK, 0, 1, 0.5).check(), r"coupling\[0, 1\] = 0.5"),
        (lambda: moved(BLANK, 5, 5, 0.5).check(), r"coupling\[5, 5\]"),
        (
            lambda: replace(BLANK, coupling=BLANK.coupling.at[0, 5].set(1.0)).check(),
            "not symmetric",
        ),
        (lambda: generative.loss(BLANK, PATH[:, :3], DT), "path"),
        (lambda: generative.loss(BLANK, PATH[:1], DT), "path"),
        (lambda: generative.slope(BLANK, PATH, -DT), "dt"),
        (lambda: generative.batch_update(BLANK, PATH, DT, 0.0), "rate"),
        (lambda: generative.optimum(BLANK, None), "Sums"),  # type: ignore[arg-type]
        (
            lambda: generative.noising(KEY, BLANK, drive(), dt=DT, steps=0),
            "steps",
        ),
        (lambda: generative.heat(BLANK, PATH, PATH[:, :2]), "end"),
        (lambda: generative.driving(jnp.ones(3), jnp.ones((4, 2))), "seen"),
        (lambda: generative.generate(KEY, BLANK, 0, dt=DT, steps=1), "n_samples"),
    ],
)
def test_what_is_wrong_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
