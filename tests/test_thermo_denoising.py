"""Laws of chains of Boltzmann machines, against enumeration written out again here."""

import itertools
from functools import cache

import jax
import jax.numpy as jnp
import jax.random as jr
import numpy as np
import pytest
import scipy.linalg

from tests.statistics import assert_mean, assert_rate
from thermo import denoising
from thermo.denoising import BoltzmannMachine, Chain, Prices, Thrml

COLOUR = (0, 1, 0, 1, 1, 0)  # four visible spins, then two hidden ones
GRAPH = denoising.two_colours(COLOUR)
N, VISIBLE = 6, 4
ALL = np.array(list(itertools.product((-1, 1), repeat=N)), float)
SEEN = np.array(list(itertools.product((-1, 1), repeat=VISIBLE)), float)


def drawn(seed, size=0.6):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.normal(size=(N, N)) * size * np.asarray(GRAPH.mask))
    return upper + upper.T, size * rng.normal(size=N)


def machine(seed=0):
    coupling, bias = drawn(seed)
    return BoltzmannMachine(coupling=jnp.array(coupling), bias=jnp.array(bias))


def chain(retention=(0.6, 0.3, 0.0)):
    both = [drawn(seed) for seed in range(len(retention))]
    coupling, bias = (jnp.array(np.stack(x)) for x in zip(*both, strict=True))
    return Chain(
        coupling=coupling, bias=bias, retention=jnp.array(retention), n_visible=VISIBLE
    )


def energies(coupling, bias, states=ALL):
    """Every pair once, spelled out."""
    pairs = itertools.combinations(range(len(bias)), 2)
    return -sum(coupling[i, j] * states[:, i] * states[:, j] for i, j in pairs) - (
        states @ bias
    )


def law(coupling, bias):
    weights = np.exp(-energies(coupling, bias))
    return weights / weights.sum()


def images(seed=5):
    weights = np.random.default_rng(seed).exponential(size=2**VISIBLE)
    return weights / weights.sum()


def jump(r):
    flips = (SEEN[:, None] != SEEN).sum(-1)
    return ((1 - r) / 2) ** flips * ((1 + r) / 2) ** (VISIBLE - flips)


def loss_by_hand(coupling, bias, retention, before):
    """Of one machine: its conditional law from energies, summed over hidden spins."""
    half = np.arctanh(retention)
    total = 0.0
    for y, x in enumerate(SEEN):
        field = np.concatenate([half * x, np.zeros(N - VISIBLE)])
        shown = law(coupling, bias + field).reshape(2**VISIBLE, -1).sum(1)
        joint = before * jump(retention)[:, y]
        total -= (joint * np.log(shown)).sum()
    return total


@pytest.mark.parametrize(("levels", "time"), [(2, 0.7), (3, 0.2), (5, 1.4)])
def test_the_jump_is_that_of_a_site_set_anew_at_random(levels, time):
    rate = np.ones((levels, levels)) / levels - np.eye(levels)
    chance = scipy.linalg.expm(rate * time)
    keep = denoising.keep_probability(np.exp(-time), levels)
    np.testing.assert_allclose(keep, chance[0, 0], 1e-6)
    cost = np.log(chance[0, 0] / chance[0, 1])
    np.testing.assert_allclose(denoising.jump_energy(np.exp(-time), levels), cost, 1e-5)


def test_its_energy_form_gives_the_keep_probability_with_the_sign_said():
    half = denoising.jump_energy(0.37) / 2
    up, down = np.exp(float(half)), np.exp(-float(half))
    kept = denoising.keep_probability(0.37)
    assert float(kept) == pytest.approx(up / (up + down), rel=1e-6)
    assert float(kept) > 0.5  # the sign that is printed would flip more than it keeps


def test_energies_and_laws_are_those_of_pairs_counted_once():
    coupling, bias = drawn(1)
    found = machine(1).energy(jnp.array(ALL, jnp.float32))
    np.testing.assert_allclose(found, energies(coupling, bias), atol=1e-5)
    np.testing.assert_allclose(
        denoising.probabilities(machine(1)), law(coupling, bias), 1e-4
    )
    np.testing.assert_array_equal(denoising.states(N), ALL)


def test_parameters_of_thrml_mean_the_same_energies():
    rng = np.random.default_rng(2)
    edges = np.array([(0, 1), (3, 1), (4, 5), (1, 0)])  # one of them twice
    given = Thrml(rng.normal(size=N), edges, rng.normal(size=4), 1.7)
    each = given.weights * np.prod(ALL[:, edges], -1)
    expected = -given.beta * (ALL @ given.biases + each.sum(1))
    there = denoising.from_thrml(given)
    np.testing.assert_allclose(
        there.energy(jnp.array(ALL, jnp.float32)), expected, atol=1e-5
    )
    back = denoising.from_thrml(denoising.to_thrml(there, beta=0.3))
    np.testing.assert_allclose(back.coupling, there.coupling, atol=1e-6)
    np.testing.assert_allclose(back.bias, there.bias, atol=1e-6)


def sigmoid_kernel(coupling, bias, which):
    """Of one colour alone, by the conditional of every spin of it."""
    up = 1 / (1 + np.exp(-2 * (ALL @ coupling + bias)))
    found = np.ones((2**N, 2**N))
    for i in range(N):
        if COLOUR[i] == which:
            found *= np.where(ALL[:, i] > 0, up[:, [i]], 1 - up[:, [i]])
        else:
            found *= ALL[:, [i]] == ALL[:, i]
    return found


def test_a_sweep_leaves_the_law_alone_and_each_half_is_in_detailed_balance():
    coupling, bias = drawn(3)
    found = np.asarray(denoising.kernel(machine(3), GRAPH), float)
    halves = [sigmoid_kernel(coupling, bias, c) for c in (0, 1)]
    np.testing.assert_allclose(found, halves[0] @ halves[1], atol=1e-6)
    rest = law(coupling, bias)
    np.testing.assert_allclose(rest @ found, rest, atol=1e-6)
    for half in halves:
        flow = rest[:, None] * half
        np.testing.assert_allclose(flow, flow.T, atol=1e-12)
    flow = rest[:, None] * found
    assert np.abs(flow - flow.T).max() > 1e-4  # a whole sweep is not


def test_the_sampler_goes_where_the_kernel_says():
    many, start = 40_000, 11
    begin = jnp.broadcast_to(denoising.states(N)[start], (many, N))
    end = np.asarray(denoising.gibbs(jr.key(1), machine(3), GRAPH, begin, sweeps=1))
    at = ((end + 1) / 2) @ 2 ** np.arange(N)[::-1]
    counts = np.bincount(at.astype(int), minlength=2**N)
    assert_rate(counts, many, np.asarray(denoising.kernel(machine(3), GRAPH))[start])


def test_held_spins_stay_and_fields_add_to_biases():
    coupling, bias = drawn(4)
    field = np.random.default_rng(0).normal(size=N)
    begin = jnp.ones((2000, N))
    of = {"sweeps": 5, "n_held": VISIBLE}
    end = denoising.gibbs(
        jr.key(2), machine(4), GRAPH, begin, field=jnp.array(field), **of
    )
    assert (end[:, :VISIBLE] == 1).all()
    assert len(np.unique(end[:, VISIBLE:], axis=0)) == 4
    moved = BoltzmannMachine(coupling=jnp.array(coupling), bias=jnp.array(bias + field))
    again = denoising.gibbs(jr.key(2), moved, GRAPH, begin, **of)
    assert (end == again).mean() > 0.999
    found = denoising.probabilities(machine(4), jnp.array(field))
    np.testing.assert_allclose(found, law(coupling, bias + field), 1e-4)


def test_losses_are_those_written_out_by_hand():
    made, before = chain(), images()
    found = denoising.losses(made, jnp.array(before))
    for t, r in enumerate((0.6, 0.3, 0.0)):
        expected = loss_by_hand(*drawn(t), r, before)
        assert float(found[t]) == pytest.approx(expected, rel=1e-4)
        before = before @ jump(r)


def test_exact_gradients_are_finite_differences_of_the_exact_losses():
    slopes = denoising.exact_slopes(chain(), GRAPH, jnp.array(images()))
    before, step = images(), 1e-5
    for t, r in enumerate((0.6, 0.3, 0.0)):
        coupling, bias = drawn(t)
        for i, j in ((0, 1), (2, 4), (3, 5), (0, 4)):
            change = np.zeros((N, N))
            change[i, j] = change[j, i] = step
            up, down = (
                loss_by_hand(coupling + s * change, bias, r, before) for s in (1, -1)
            )
            off = slopes.coupling[t, i, j] - (up - down) / (2 * step)
            assert abs(off) < 1e-5
        for i in (0, 3, 5):
            change = step * np.eye(N)[i]
            up, down = (
                loss_by_hand(coupling, bias + s * change, r, before) for s in (1, -1)
            )
            assert abs(slopes.bias[t, i] - (up - down) / (2 * step)) < 1e-5
        before = before @ jump(r)


def choose(key, probability, many):
    return jr.choice(key, len(probability), (many,), p=jnp.array(probability))


@cache
def sampled_slopes(groups=60, size=500):
    """Of the first machine: noise drawn, held and free spins begun in equilibrium."""
    made, keys = chain(), jr.split(jr.key(7), 6)
    many = groups * size
    x0 = jnp.array(SEEN, jnp.float32)[choose(keys[0], images(), many)]
    x1 = denoising.noised(keys[1], made, x0)[1]
    field = made.field(0, x1)
    rows = made.field(0, jnp.array(SEEN, jnp.float32))
    of = jnp.stack([denoising.probabilities(made.machine(0), one) for one in rows])
    which = (((x1 + 1) / 2) @ jnp.array([8.0, 4.0, 2.0, 1.0])).astype(int)
    drawn_free = jr.categorical(keys[2], jnp.log(of)[which])
    free = denoising.gibbs(
        keys[3], made.machine(0), GRAPH, denoising.states(N)[drawn_free],
        sweeps=1, field=field,
    )  # fmt: skip
    begin = jnp.concatenate([x0, jnp.ones((many, N - VISIBLE))], -1)
    held = denoising.gibbs(
        keys[4], made.machine(0), GRAPH, begin, sweeps=20, n_held=VISIBLE
    )
    each = jax.vmap(lambda h, f: denoising.slope(GRAPH, h, f))
    return each(held.reshape(groups, size, N), free.reshape(groups, size, N))


def test_a_sampled_gradient_is_the_exact_one_in_the_mean():
    found = sampled_slopes()
    exact = denoising.exact_slopes(chain(), GRAPH, jnp.array(images()))
    assert_mean(found.coupling, exact.coupling[0])
    assert_mean(found.bias, exact.bias[0])


def test_noise_keeps_spins_as_often_as_it_should():
    made = chain()
    image = jnp.array(SEEN, jnp.float32)[choose(jr.key(3), images(), 20_000)]
    path = np.asarray(denoising.noised(jr.key(4), made, image))
    assert path.shape == (4, 20_000, VISIBLE)
    for t, r in enumerate((0.6, 0.3, 0.0)):
        kept = (path[t] == path[t + 1]).mean(1).mean()
        assert_rate(kept * 20_000 * VISIBLE, 20_000 * VISIBLE, (1 + r) / 2)


def test_samples_have_the_law_that_is_known_exactly():
    made, many = chain(), 30_000
    of = np.asarray(denoising.generated_law(made, GRAPH, 2))
    end = np.asarray(denoising.generate(jr.key(5), made, GRAPH, many, sweeps=2))
    at = ((end[0] + 1) / 2) @ 2 ** np.arange(VISIBLE)[::-1]
    counts = np.bincount(at.astype(int), minlength=2**VISIBLE)
    assert_rate(counts, many, of)
    assert abs((end[-1] == 1).mean() - 0.5) < 5 / np.sqrt(4 * end[-1].size)


def test_after_endless_sweeps_a_monolithic_machine_makes_its_own_law():
    coupling, bias = drawn(0)
    found = denoising.generated_law(chain((0.0,)), GRAPH, 200)
    expected = law(coupling, bias).reshape(2**VISIBLE, -1).sum(1)
    np.testing.assert_allclose(found, expected, 1e-4)


def test_after_endless_sweeps_a_chain_makes_the_product_of_its_reversals():
    found = denoising.generated_law(chain(), GRAPH, 200)
    expected = np.full(2**VISIBLE, 0.5**VISIBLE)
    for t, r in reversed(list(enumerate((0.6, 0.3, 0.0)))):
        coupling, bias = drawn(t)
        rows = [
            law(coupling, bias + np.concatenate([np.arctanh(r) * x, [0, 0]]))
            .reshape(2**VISIBLE, -1)
            .sum(1)
            for x in SEEN
        ]
        expected = expected @ np.array(rows)
    np.testing.assert_allclose(found, expected, 1e-4)


@pytest.mark.parametrize("side", [10, 12])
def test_a_grid_is_a_torus_in_two_colours(side):
    graph = denoising.grid(side, [(0, 1), (4, 1)])
    assert (graph.mask == graph.mask.T).all()
    assert (graph.mask.sum(0) == 8).all()
    assert (graph.mask * (graph.colour[:, None] == graph.colour) == 0).all()
    turned = graph.mask.reshape((side,) * 4).transpose(1, 0, 3, 2)[:, ::-1, :, ::-1]
    assert np.array_equal(turned.reshape(graph.mask.shape), graph.mask)
    some = np.array([5, 2, 40])
    first = graph.order(some)
    assert np.array_equal(first.mask[:3, :3], graph.mask[np.ix_(some, some)])


def test_a_sample_costs_its_updates_reads_and_writes():
    of = {"n_steps": 2, "n_spins": 10, "n_visible": 4, "sweeps": 5}
    prices = Prices(update=1.0, read=10.0, write=1000.0)
    assert denoising.sample_energy(prices, **of) == 2 * (50 + 40)
    found = denoising.sample_energy(prices, **of, samples_per_write=100.0)
    assert found == pytest.approx(2 * (50 + 40 + 100))
    # an earlier model of the same chip: 1.6 nJ of updates for a layer
    layer = {"n_steps": 1, "n_spins": 4900, "n_visible": 1, "sweeps": 250}
    found = denoising.sample_energy(Prices(update=1.3e-15, read=0.0), **layer)
    assert found == pytest.approx(1.6e-9, rel=0.01)


def test_the_penalty_on_correlations_is_the_slope_of_its_divergence():
    """Of the law from the product of its marginals, which is held, by enumeration."""
    coupling, bias = drawn(3)
    p = law(coupling, bias)
    up = (ALL > 0).T @ p
    product = np.where(ALL > 0, up, 1 - up).prod(1)

    def divergence(coupling):
        return product @ np.log(product / law(coupling, bias))

    found = np.zeros((N, N))
    for i, j in itertools.combinations(range(N), 2):
        step = np.zeros((N, N))
        step[i, j] = step[j, i] = 1e-5 * np.asarray(GRAPH.mask)[i, j]
        change = divergence(coupling + step) - divergence(coupling - step)
        found[i, j] = found[j, i] = change / 2e-5
    drawn_states = np.random.default_rng(0).choice(len(ALL), (400, 50), p=p)
    spins = jnp.asarray(ALL[drawn_states], jnp.float32)
    slopes = jax.vmap(lambda one: denoising.correlation_slope(GRAPH, one))(spins)
    assert_mean(slopes.coupling, found)
    assert np.all(np.asarray(slopes.bias) == 0)
