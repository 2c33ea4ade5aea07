"""Joules are counts times sourced constants; a file of constants is checked whole."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import eapu_jax as ej
from eapu_jax import cost
from eapu_jax.cost.sourced import LABELS
from eapu_jax.cost.work import _cells_read

KNOWN = cost.read_constants()
ENTRY = 'value = 2.0\nunit = "pJ"\nsource = "bench"\nlabel = "OWN"\n'


def test_every_constant_of_the_library_says_where_it_is_from():
    assert len(KNOWN) >= 20
    for one in KNOWN.values():
        assert one.low <= one.value <= one.high
        assert one.label in LABELS
        assert len(one.source) > 15


@pytest.mark.parametrize(
    ("name", "volts", "seconds", "ohms"),
    [
        ("write_neurram", 1.75, 8.52e-6, 250e3),
        ("write_neurosim", 2.0, 50e-9, 6e3),
        ("write_isaac", 2.0, 40e-9, 1.33e3),
        ("write_ecram", 2.0, 40e-9, 625e3),
    ],
)
def test_a_derived_pulse_is_what_its_source_gives(name, volts, seconds, ohms):
    np.testing.assert_allclose(KNOWN[name].value, volts**2 * seconds / ohms, rtol=0.02)


def test_the_mac_of_neurram_is_its_published_efficiency():
    """43.1 and 6.44 TOPS/W, the ends of the measured table; two operations a MAC."""
    for joules, published in ((KNOWN["mac"].low, 43.1), (KNOWN["mac"].high, 6.44)):
        np.testing.assert_allclose(cost.tops_per_watt(1, joules), published, rtol=0.02)


def test_graphics_cards_at_their_datasheet_peak():
    for name, watts, tflops in (("a100", 400, 312), ("h100", 700, 989.4)):
        joules = 2 * watts / (tflops * 1e12)
        np.testing.assert_allclose(KNOWN[f"gpu_{name}_mac"].value, joules, rtol=0.005)


def test_energy_is_the_sum_of_counts_times_constants():
    work = cost.Work(7, 11, 13, 17, 19, 23.0, 29.0, writes=5)
    on = cost.machine(adc="adc_8_bit", dac="dac_row", verify="read_cell")
    parts = cost.energy(work, on)
    for end in ("low", "value", "high"):
        c = {name: getattr(one, end) for name, one in vars(on).items()}
        by_hand = (
            7 * c["pulse"] * c["pulses_per_write"] + 11 * c["read"] + 13 * c["mac"]
            + 17 * c["dac"] + 19 * c["adc"] + 23 * c["random"] + 29 * c["memory"]
            + 5 * c["pulses_per_write"] * c["verify"]
        )  # fmt: skip
        np.testing.assert_allclose(getattr(cost.total(parts), end), by_hand, rtol=1e-12)
    assert cost.energy(work, cost.machine())["conversions"] == cost.Band(0.0, 0.0, 0.0)


def test_the_ratio_of_two_trainings_is_the_formula_of_one_group():
    """Parts of two ledgers, added up, against the closed form and its two ends."""
    on = cost.machine()
    cells, batch, ratio = 1000, 4, 0.01
    macs = 3 * batch * cells
    bp, sparse = (
        cost.total(cost.energy(cost.Work(pulses=n, macs=macs), on)).value
        for n in (cells, int(ratio * cells))
    )
    e_w = on.pulse.value * on.pulses_per_write.value
    x = e_w / (3 * batch * on.mac.value)
    np.testing.assert_allclose(bp / sparse, cost.training_ratio(x, ratio), rtol=1e-6)
    assert cost.training_ratio(0.0, ratio) == 1.0
    np.testing.assert_allclose(cost.training_ratio(1e9, ratio), 1 / ratio, rtol=1e-5)


@pytest.mark.parametrize(("batch", "ratio"), [(1, 51), (16, 4.3), (128, 1.4)])
def test_the_ratio_at_a_nanojoule_a_write_is_that_of_the_notes(batch, ratio):
    """ResNet-152 at 32 x 32: m = 64, 0.1 pJ a MAC, 0.86 of 1,000 cells written."""
    x = 1e-9 / (3 * batch * 64 * 0.1e-12)
    np.testing.assert_allclose(cost.training_ratio(x, 0.86e-3), ratio, rtol=0.02)


def test_the_work_of_a_training_is_counted_by_its_arrays():
    key, steps, batch = jax.random.key(0), 5, 8
    pairs = ej.Crossbar(encoding=ej.DifferentialPair(policy="both"))
    w = {"kernel": jnp.zeros((6, 4)), "bias": jnp.zeros(4)}
    tx = optax.chain(optax.sgd(1.0), ej.program(pairs, key=key))
    state = tx.init(w)
    for _ in range(steps):
        updates, state = tx.update(jax.tree.map(jnp.ones_like, w), state, w)
        w = optax.apply_updates(w, updates)
    work = cost.training_work(
        state, pairs, steps=steps, vectors=batch, bits_per_weight=64.0,
        random_bits_per_weight=32.0, words_per_weight=2.0,
    )  # fmt: skip
    assert work.pulses == steps * 2 * 24  # both cells of every weight
    assert work.macs == 3 * steps * batch * 2 * 24
    assert work.dac == work.adc == steps * batch * (6 + 4)  # there and back
    assert work.digital_bits == steps * 24 * 64 * 2  # read and written
    assert work.random_bits == steps * 24 * 32
    assert work.up == work.down == steps * 24  # one cell of a pair each
    assert work.writes == work.pulses
    assert work.vectors == 3 * steps * batch
    assert work.words == 2.0


def test_reads_of_an_array_are_reads_of_its_cells_and_of_a_line_its_line():
    key, w = jax.random.key(0), {"kernel": jnp.zeros((6, 4))}
    whole = ej.program(ej.Crossbar(), key=key).init(w)
    lines = ej.tiki_taka(ej.Crossbar(), ej.Crossbar(), key=key)
    state = lines.init(w)
    for _ in range(3):
        _, state = lines.update(w, state, w)
    reads = ej.totals(state)["reads"]
    work = cost.training_work(state, ej.Crossbar(), steps=3, vectors=1)
    assert reads > 0
    assert work.reads == reads * 4  # a line has as many cells as there are outputs
    assert work.vectors == 3 * 3  # both arrays take a vector together
    for array in ej.view(whole).values():
        _, array = ej.array.read(key, ej.Crossbar(), array)
        assert _cells_read("kernel", array, (6, 4)) == 24


def test_a_file_of_ones_own_goes_before_the_library(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(f"[mac]\n{ENTRY}")
    known = cost.read_constants(path)
    assert known["mac"].value == 2e-12
    assert known["mac"].label == "OWN"
    assert known["write_isaac"] == KNOWN["write_isaac"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[mac", "Expected"),
        ("mac = 3", r"\[mac\] must be a table"),
        ("[mac]\nvalue = 1.0", r"lacks \['label', 'source', 'unit'\]"),
        (f"[mac]\n{ENTRY}per = 3", r"knows no \['per'\]"),
        (f"[mac]\n{ENTRY}".replace("2.0", "-2.0"), "value must be a number >= 0"),
        (f"[mac]\n{ENTRY}".replace("2.0", "nan"), "value must be a number >= 0"),
        (f"[mac]\n{ENTRY}".replace("2.0", '"2"'), "value must be a number >= 0"),
        (f"[mac]\n{ENTRY}".replace("2.0", "true"), "value must be a number >= 0"),
        (f"[mac]\n{ENTRY}".replace("pJ", "kWh"), "unit must be one of"),
        (f"[mac]\n{ENTRY}".replace("OWN", "GUESSED"), "label must be one of"),
        (f"[mac]\n{ENTRY}".replace("bench", " "), "source must be a text"),
        (f"[mac]\n{ENTRY}low = 3.0", "value must be from low"),
        (f"[mac]\n{ENTRY}high = 1.0", "value must be from low"),
    ],
)
def test_a_malformed_file_is_refused_by_entry(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(cost.ConstantsError, match=message):
        cost.read_constants(path)


def test_what_is_no_file_of_constants_is_refused(tmp_path):
    with pytest.raises(cost.ConstantsError, match="no such file"):
        cost.read_constants(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(cost.ConstantsError, match="utf-8"):
        cost.read_constants(tmp_path / "binary.toml")
    (tmp_path / "huge.toml").write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(cost.ConstantsError, match="more than"):
        cost.read_constants(tmp_path / "huge.toml")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cost.machine(pulze="mac"), "got 'pulze'"),
        (lambda: cost.machine(pulse="best"), "no constant is called 'best'"),
        (lambda: cost.training_ratio(1.0, 1.5), "update_ratio must be <= 1"),
        (lambda: cost.inference_ratio(-0.1, 3.0), "array_share must be >= 0"),
        (lambda: cost.tops_per_watt(1, 0.0), "joules must be > 0"),
        (lambda: cost.survivors(jnp.zeros(0), 1.0), "at least one cell"),
        (lambda: cost.energy(cost.Work(pulses=-1), cost.machine()), "Work.pulses must"),
        (
            lambda: cost.energy(cost.Work(3, down=4), cost.machine()),
            "down must be <= 3",
        ),
        (lambda: cost.energy(cost.Work(3, writes=4), cost.machine()), "writes must be"),
        (lambda: cost.timing(pulze="mac"), "got 'pulze'"),
        (lambda: cost.timing(read="best"), "no constant is called 'best'"),
        (lambda: cost.timing(cells_at_once=0), "Timing.cells_at_once must be >= 1"),
        (
            lambda: cost.latency(cost.Work(macs=1), cost.machine(), cost.timing()),
            "Work.vectors must say",
        ),
    ],
)
def test_bad_input_is_refused_by_name(call, message):
    with pytest.raises(ValueError, match=message):
        call()
