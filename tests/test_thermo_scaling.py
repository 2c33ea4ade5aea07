"""Time and energy of sampling and inverting: published anchors, roots, slopes."""

from dataclasses import fields, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.statistics import assert_mean
from thermo import scaling
from thermo.scaling import Board, Machine

BOARD, CARD = Board(), Machine()


def gpu(product_rate):
    """A card whose factorisations go half as fast as its products."""
    return Machine(factor_rate=product_rate / 2, product_rate=product_rate)


@pytest.mark.parametrize(
    ("d", "board_ms", "card_ms"),
    [(1e2, 10.02, 0.21), (1e3, 10.14, 1.23), (3e3, 10.45, 10.1), (5e3, 10.81, 29.4),
     (1e4, 11.93, 133.5)],
)  # fmt: skip
def test_times_are_those_of_the_table_that_was_worked_out_by_hand(d, board_ms, card_ms):
    for of, expected in ((BOARD, board_ms), (CARD, card_ms)):
        found = 1e3 * float(scaling.sampling(of, d, 1e4).seconds)
        assert found == pytest.approx(expected, abs=0.006 * 10 ** (expected > 20))


@pytest.mark.parametrize(
    ("product_rate", "n", "crossing", "times"),
    [(15e12, 1e4, 2650, 14.9), (20e12, 1e4, 3050, 11.2), (25e12, 1e4, 3410, 9.0),
     (20e12, 1e3, 2240, 24)],
)  # fmt: skip
def test_anchors_move_as_worked_out_by_hand(product_rate, n, crossing, times):
    card = gpu(product_rate)
    assert scaling.crossover(BOARD, card, n) == pytest.approx(crossing, rel=0.005)
    found = scaling.speedup(BOARD, card, 1e4, n).seconds
    assert found == pytest.approx(times, rel=0.021)


def test_fifty_gigabits_cannot_give_ten_times_and_energy_wants_six_watts():
    slow = replace(BOARD, channel_rate=50e9)
    n = jnp.geomspace(1.0, 1e9, 91)
    for rate in (15e12, 20e12, 25e12):
        assert scaling.speedup(slow, gpu(rate), 1e4, n).seconds.max() < 4
    found = scaling.break_even_power(BOARD, CARD, jnp.geomspace(1.0, 1e5, 91), 1e4)
    assert found.min() == pytest.approx(6.0, abs=0.1)


def drawn(seed):
    """A board and a machine of which little is alike."""
    rng = np.random.default_rng(seed)
    by = {f: 10 ** rng.uniform(-2, 2) for f in range(9)}
    board = Board(
        channel_rate=1.25e12 * by[0], settling=1e-5 * by[1], interval=1e-6 * by[2]
    )
    machine = Machine(
        factor_rate=1e13 * by[3], product_rate=2e13 * by[4], overhead=2e-4 * by[5],
        normal_rate=1e9 * by[6] if seed % 2 else float("inf"),
    )  # fmt: skip
    return board, machine, 10 ** rng.uniform(0, 6)


def coefficients(board, machine, n):
    """Of the difference of the times, highest power first."""
    b, w = board.bits, board.channel_rate
    return [
        1 / (3 * machine.factor_rate),
        2 * n / machine.product_rate - b / (2 * w),
        n / machine.normal_rate - b * (n + 0.5) / w,
        machine.overhead - board.settling - n * board.interval,
    ]


def test_the_crossover_is_the_largest_root_of_the_difference_of_times():
    many = 200
    things = [drawn(seed) for seed in range(many)]
    stack = jax.tree.map(lambda *x: jnp.array(x), *things)
    found = jax.vmap(scaling.crossover)(*stack)
    none = 0
    for ours, one in zip(found, things, strict=True):
        roots = np.roots(coefficients(*one))
        real = roots.real[(abs(roots.imag) < 1e-6 * abs(roots)) & (roots.real > 0)]
        expected = real.max(initial=0.0)
        none += expected == 0
        assert float(ours) == pytest.approx(expected, rel=2e-3)
    assert 5 < none < many - 5


@pytest.mark.parametrize(
    "change",
    [{}, {"overhead": 0.1}, {"overhead": 0.1, "normal_rate": 1e8}],
)
def test_it_is_found_where_the_machine_is_slow_to_start(change):
    """A difference that is positive at both ends has two roots, or none."""
    machine, n = replace(CARD, **change), 1e4
    found = float(scaling.crossover(BOARD, machine, n))
    roots = np.roots(coefficients(BOARD, machine, n))
    real = roots.real[(abs(roots.imag) < 1e-9 * abs(roots)) & (roots.real > 0)]
    assert found == pytest.approx(real.max(initial=0.0), rel=1e-4)
    beyond = scaling.speedup(BOARD, machine, 1.01 * found + 1, n).seconds
    assert float(beyond) > 1


def test_its_slopes_are_those_of_finite_differences():
    with jax.enable_x64():
        names = ["channel_rate", "interval", "settling", "bits"]

        def crossing(logs):
            grown = zip(names, logs[:4], strict=True)
            board = replace(
                BOARD, **{n: getattr(BOARD, n) * jnp.exp(x) for n, x in grown}
            )
            card = gpu(20e12)
            card = replace(
                card,
                factor_rate=card.factor_rate * jnp.exp(logs[4]),
                overhead=card.overhead * jnp.exp(logs[5]),
            )
            return scaling.crossover(board, card, 1e4 * jnp.exp(logs[6]))

        slopes = np.asarray(jax.grad(crossing)(jnp.zeros(7)))
        steps = 1e-5 * jnp.concatenate([jnp.eye(7), -jnp.eye(7)])
        up, down = np.asarray(jax.vmap(crossing)(steps)).reshape(2, 7)
        np.testing.assert_allclose(slopes, (up - down) / 2e-5, 1e-5, 1e-3)


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_samples_for_an_error_are_those_of_a_wishart_matrix(spread):
    """Relative errors are as large as said if eigenvalues are alike, else smaller."""
    d, error, many = 6, 0.25, 4000
    n = round(float(scaling.samples_for(d, error)))
    values = np.exp(spread * np.linspace(-1, 1, d))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(many, n, d)) * np.sqrt(values)
    off = np.einsum("kni,knj->kij", x, x) / n - np.diag(values)
    squares = (off**2).sum((1, 2)) / (values**2).sum()
    exact = (1 + values.sum() ** 2 / (values**2).sum()) / n
    assert_mean(squares, exact)
    assert exact <= error**2 * 1.001
    if spread == 0:
        assert exact == pytest.approx(error**2, rel=0.01)


def test_an_inverse_whose_sums_are_digital_is_dearer_than_a_digital_inverse():
    d = jnp.geomspace(10.0, 1e7, 61)
    same = replace(BOARD, accumulation_rate=CARD.product_rate)
    at_once = replace(CARD, overhead=0.0)  # else the board is done before it starts
    found = scaling.inversion_speedup(same, at_once, d, 0.5).seconds
    assert found.max() < 1
    free = replace(BOARD, accumulation_rate=float("inf"))
    assert scaling.inversion_speedup(free, CARD, 1e6, 0.5).seconds > 1


def test_at_the_break_even_power_energies_are_equal():
    power = scaling.break_even_power(BOARD, CARD, 2000.0, 1e4)
    even = scaling.speedup(replace(BOARD, power=power), CARD, 2000.0, 1e4).joules
    assert float(even) == pytest.approx(1.0, rel=1e-4)


@pytest.mark.parametrize("rate", [1e-3, 1.0, 20.0])
def test_at_the_standby_budget_both_draw_the_same_on_average(rate):
    d, n = 5000.0, 1e4
    standby = float(scaling.standby_budget(BOARD, CARD, d, n, rate))
    ours, theirs = (scaling.sampling(of, d, n) for of in (BOARD, CARD))
    board = rate * ours.joules + standby * (1 - rate * ours.seconds)
    card = rate * theirs.joules + CARD.idle * (1 - rate * theirs.seconds)
    assert float(board) == pytest.approx(float(card), rel=1e-4)


def test_the_standby_budget_at_low_duty_is_the_idle_power_and_ends_with_the_board():
    at = [
        float(scaling.standby_budget(BOARD, CARD, 100.0, 1e4, r)) for r in (1e-9, 1e3)
    ]
    assert at[0] == pytest.approx(CARD.idle, rel=1e-4)
    assert np.isnan(at[1])


def test_every_constant_says_where_it_is_from():
    names = {f"{k.__name__}.{f.name}" for k in (Board, Machine) for f in fields(k)}
    assert names == set(scaling.SOURCES)
    labels = ("STATED", "RECALLED", "DERIVED", "INFERRED", "ASSUMED", "GENERAL")
    assert all(text.startswith(labels) for text in scaling.SOURCES.values())
    for kind in (Board, Machine):
        for field in fields(kind):
            label = scaling.SOURCES[f"{kind.__name__}.{field.name}"].split(":")[0]
            told = kind.__doc__.split(f"        {field.name}: ")[1].split("        ")[0]
            assert label in " ".join(kind.__doc__.split()), told
