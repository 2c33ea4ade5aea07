"""The same measurements in every layout are the same arrays."""

from typing import Any

import numpy as np
import pytest

from experiments.data.formats import DataError
from experiments.data.traces import read_traces
from experiments.data.traces.names import who

RNG = np.random.default_rng(0)
G = np.round(RNG.uniform(1, 9, (2, 3, 7)), 4)  # devices, cycles, 0 and six pulses
WAY = np.array([True] * 3 + [False] * 3)


def lines(*rows, header):
    return "\n".join([header, *rows]) + "\n"


def long(scale=1.0, unit="µS", turn=lambda w: "up" if w else "down", first=0):
    rows = [
        f"A{d},{c + 1},{p},{turn(WAY[max(p - 1, 0)])},{G[d, c, p] * scale:.10g}"
        for d in range(2)
        for c in range(3)
        for p in range(first, 7)
    ]
    return lines(*rows, header=f"device,cycle,pulse,direction,g ({unit})")


def wide(names):
    rows = [
        ",".join([str(p), "+" if WAY[max(p - 1, 0)] else "-"]
                 + [f"{G[d, c, p]}" for d in range(2) for c in range(3)])
        for p in range(7)
    ]  # fmt: skip
    return lines(*rows, header=f"pulse,direction,{names}")


def restarting():
    rows = [
        f"A{d},{c},{p % 4 if p < 4 else p - 3},{'pot' if p < 4 else 'dep'},{G[d, c, p]}"
        for d in range(2)
        for c in range(3)
        for p in range(7)
    ]
    return lines(*rows, header="device,cycle,pulse,direction,g (µS)")


PAIRS = [f"{d} {c}" for d in (1, 2) for c in (1, 2, 3)]
LAYOUTS = {
    "long": long(),
    "siemens": long(1e-6, "S"),
    "signs": long(turn=lambda w: "1" if w else "-1"),
    "set and reset": long(turn=lambda w: "SET" if w else "RESET"),
    "wide": wide(",".join(f"device {p[0]} cycle {p[2]} (µS)" for p in PAIRS)),
    "wide, short": wide(",".join(f"D{p[0]}C{p[2]} [µS]" for p in PAIRS)),
    "numbers that begin anew": restarting(),
}


@pytest.mark.parametrize("content", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_is_the_same_trains(content, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(content)
    traces, told = read_traces([path])
    assert traces.pulses is not None
    np.testing.assert_allclose(traces.pulses.g, G, rtol=1e-8)
    np.testing.assert_array_equal(traces.pulses.up, np.broadcast_to(WAY, (2, 3, 6)))
    assert "2 devices, up to 3 cycles of up to 6 pulses" in told[0]


def test_without_a_reading_before_the_first_pulse_that_one_is_missing(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(long(first=1))
    traces, _ = read_traces([path])
    assert traces.pulses is not None
    assert np.isnan(traces.pulses.g[..., 0]).all()
    np.testing.assert_allclose(traces.pulses.g[..., 1:], G[..., 1:])
    np.testing.assert_array_equal(traces.pulses.up, np.broadcast_to(WAY, (2, 3, 6)))


def test_trains_of_unequal_length_are_filled_up(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("cycle,pulse,g (µS)\n1,0,1\n1,1,2\n1,2,3\n2,0,1\n2,1,2\n")
    pulses = read_traces([path])[0].pulses
    assert pulses is not None
    np.testing.assert_array_equal(pulses.g, [[[1, 2, 3], [1, 2, np.nan]]])


@pytest.mark.parametrize(
    ("g", "up", "words"),
    [
        ([1, 3, 5, 4, 2], [1, 1, 0, 0], "up to pulse 2, down after it"),
        ([5, 3, 1, 2, 4], [0, 0, 1, 1], "down to pulse 2, up after it"),
        ([1, 2, 3, 4, 5], [1, 1, 1, 1], "up to pulse 4"),
        ([5, 4, 3, 2, 1], [0, 0, 0, 0], "down to pulse 4"),
    ],
)
def test_directions_that_are_not_told_are_found_and_said(g, up, words, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("pulse,g\n" + "".join(f"{n},{x}\n" for n, x in enumerate(g)))
    traces, told = read_traces([path])
    assert traces.pulses is not None
    assert traces.pulses.up[0, 0].tolist() == [bool(x) for x in up]
    assert words in told[0]
    assert "µS (not told; by their size)" in told[0]


def test_pulse_numbers_that_begin_anew_are_cycles(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("pulse,g (µS)\n1,1\n2,2\n3,3\n1,1\n2,2.5\n3,3\n")
    traces, told = read_traces([path])
    assert traces.pulses is not None
    assert traces.pulses.g.shape == (1, 2, 4)
    assert "taken for new cycles" in told[0]


def test_resistances_and_currents_are_conductances(tmp_path):
    ohms, amps = tmp_path / "r.csv", tmp_path / "i.csv"
    ohms.write_text("pulse,r (kΩ)\n0,100\n1,50\n2,25\n")
    amps.write_text("pulse,i (µA),v (mV)\n0,2,200\n1,4,200\n2,8,200\n")
    for path in (ohms, amps):
        pulses = read_traces([path])[0].pulses
        assert pulses is not None
        np.testing.assert_allclose(pulses.g, [[[10, 20, 40]]])


def test_other_kinds_of_measurement(tmp_path):
    files = {
        "writes": "device,target (µS),landed (µS)\na,10,11\na,20,19\nb,10,9\n",
        "reads": "device,read,g (µS)\na,1,10\na,2,11\nb,1,9\nb,2,8\n",
        "retention": "time (h),a (µS),b (µS)\n0,10,9\n1,8,\n2,7,6\n",
        "endurance": "device,cycle,hrs (µS),lrs (µS)\na,1,1,9\na,10,2,8\nb,1,1,7\n",
    }
    for name, content in files.items():
        (tmp_path / f"{name}.csv").write_text(content)
    traces: Any
    traces, told = read_traces([tmp_path / f"{name}.csv" for name in files])
    assert traces.measured == ("writes", "reads", "retention", "endurance")
    nan = np.nan
    np.testing.assert_array_equal(traces.writes.target, [[10, 20], [10, nan]])
    np.testing.assert_array_equal(traces.writes.landed, [[11, 19], [9, nan]])
    np.testing.assert_array_equal(traces.reads.g, [[10, 11], [9, 8]])
    np.testing.assert_array_equal(traces.retention.time, [0, 3600, 7200])
    np.testing.assert_array_equal(traces.retention.g, [[10, 8, 7], [9, nan, 6]])
    np.testing.assert_array_equal(traces.endurance.cycle, [1, 10])
    np.testing.assert_array_equal(traces.endurance.high, [[9, 8], [7, nan]])
    assert len(told) == 4


GERMAN = "Puls;Zyklus;Leitwert (µS)\n0;1;2,5\n1;1;3,5\n2;1;4,5\n"
FRENCH = "Impulsion;Résistance (kΩ)\n0;400\n1;285,714286\n2;222,222222\n"
PLAIN = "Pulse #,G1 (uS),G2 (uS)\n0,2.5,2.5\n1,3.5,3.5\n2,4.5,4.5\n"


@pytest.mark.parametrize("content", [GERMAN, FRENCH, PLAIN])
def test_columns_are_known_in_three_languages_and_with_numbers(content, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(content.replace("µ", "u").encode("cp1252", "replace"))
    if "kΩ" in content:
        path.write_text(content, encoding="utf-8")
    pulses = read_traces([path])[0].pulses
    assert pulses is not None
    np.testing.assert_allclose(pulses.g[0, 0], [2.5, 3.5, 4.5], rtol=1e-6)


def test_columns_are_known_by_their_names():
    assert who("Device_7 Cycle_12", 3) == ("7", "12")
    assert who("c3", 0) == ("1", "3")
    assert who("anything", 4) == ("1", "5")


LEFT_OUT = {
    "long": "pulse,direction,g (µS)\n0,up,1\n3,up,4\n5,down,2\n",
    "wide": "pulse,direction,c1 (µS)\n0,up,1\n3,up,4\n5,down,2\n",
}


@pytest.mark.parametrize("content", LEFT_OUT.values(), ids=LEFT_OUT)
def test_pulses_that_were_not_read_count_by_their_numbers(content, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(content, encoding="utf-8")
    traces, told = read_traces([path])
    np.testing.assert_array_equal(
        traces.pulses.g[0, 0], [1, *[np.nan] * 2, 4, np.nan, 2]
    )
    np.testing.assert_array_equal(traces.pulses.up[0, 0], [True] * 3 + [False] * 2)
    assert "3 pulses without a reading" in told[0]


@pytest.mark.parametrize("layout", LEFT_OUT)
def test_a_train_without_end_is_refused(layout, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(LEFT_OUT[layout].replace("\n5,", "\n500000,"), encoding="utf-8")
    with pytest.raises(DataError, match=r"line 4.*100,000 pulses in a train at most"):
        read_traces([path])


@pytest.mark.parametrize(
    ("text", "g", "up"),
    [
        ("pulse,potentiation (µS),depression (µS)\n0,1,3\n1,2,2\n2,3,1\n",
         [[1, 2, 3, 2, 1]], [[1, 1, 0, 0]]),
        ("pulse,LTP 1,LTD 1,LTP 2,LTD 2\n1,1,2,3,5\n2,2,1,6,4\n",
         [[np.nan, 1, 2, 2, 1], [np.nan, 3, 6, 5, 4]], [[1, 1, 0, 0]] * 2),
        ("pulse,set,reset\n0,1,3\n1,3,2\n2,,1\n", [[1, 3, 2, 1]], [[1, 0, 0]]),
    ],
)  # fmt: skip
def test_a_column_for_either_direction_is_half_a_cycle(text, g, up, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    traces, told = read_traces([path])
    assert traces.pulses is not None
    np.testing.assert_array_equal(traces.pulses.g, [g])
    np.testing.assert_array_equal(traces.pulses.up, np.array([up], bool))
    assert "directions by the names of the columns" in told[0]


def test_sets_are_no_directions_and_cycles_stand_once(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("pulse,set 1,set 2\n0,3,4\n1,2,3\n2,1,2\n")
    assert "down to pulse 2" in read_traces([path])[1][0]
    bad = {
        "pulse,up,other\n0,1,2\n1,1,2\n2,1,2\n": None,
        "pulse,up,down,other\n0,1,2,1\n1,1,2,1\n": "'up' tells .* not fit 'other'",
        "pulse,dir,up,down\n0,+,1,2\n1,+,1,2\n": "not fit the column of directions",
        "pulse,D1C1,d1 c1\n0,1,2\n1,1,2\n": "'d1 c1' has the device and the cycle",
        "pulse\n1\n2\n": "expected conductances beside",
    }
    for text, words in bad.items():
        path.write_text(text)
        if words is None:
            assert "not told" in read_traces([path])[1][0]
            continue
        with pytest.raises(DataError, match=words):
            read_traces([path])


def test_without_cycles_a_train_that_turns_back_begins_a_new_one(tmp_path):
    path = tmp_path / "x.csv"
    half = "0,LTP,1\n1,LTP,2\n2,LTP,3\n1,LTD,2\n2,LTD,1\n"
    path.write_text("pulse,polarity,g\n" + half * 2)
    traces, told = read_traces([path])
    assert traces.pulses is not None
    np.testing.assert_array_equal(traces.pulses.g, [[[1, 2, 3, 2, 1]] * 2])
    assert "taken for new cycles" in told[0]
