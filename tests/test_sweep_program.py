"""A store answers for one program, however and wherever that is looked at."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np

from experiments.sweep.ask import study
from experiments.sweep.lane import facts_of

AXES = {"mean": [0.0], "noise": [1.0]}
HELD = {"constant": np.zeros(3, np.float32)}


def digest(function, axes=AXES):
    asked = study(function, axes)
    return facts_of(asked, asked.groups[0]).program


@jax.jit
def inner(x):
    return (x + jnp.asarray(HELD["constant"])).sum()


def deep(point, chip, key):
    """A constant that two inner programs hide."""
    return {
        "x": jax.lax.cond(point.mean > 0, inner, lambda x: 2 * inner(x), point.mean)
    }


def test_a_constant_of_an_inner_program_is_part_of_the_program(monkeypatch):
    before = digest(deep, {"mean": [0.0]})
    jax.clear_caches()
    assert digest(deep, {"mean": [0.0]}) == before
    monkeypatch.setitem(HELD, "constant", np.array([0, 0, 1e-7], np.float32))
    jax.clear_caches()
    assert digest(deep, {"mean": [0.0]}) != before
    jax.clear_caches()


COMMAND = """
import sys
from tests.test_sweep_program import digest, walk
open(sys.argv[1], "w").write(digest(walk))
"""


def test_a_program_is_the_same_on_a_terminal_and_in_a_log(tmp_path):
    terminal, shown = os.openpty()
    outputs = {"terminal": shown, "log": subprocess.DEVNULL}
    environment = {**os.environ, "TERM": "xterm-256color", "FORCE_COLOR": "1"}
    for name, output in outputs.items():
        command = [sys.executable, "-c", COMMAND, str(tmp_path / name)]
        subprocess.run(command, stdout=output, env=environment, check=True, timeout=120)
    os.close(shown)
    os.close(terminal)
    assert (tmp_path / "terminal").read_text() == (tmp_path / "log").read_text()
