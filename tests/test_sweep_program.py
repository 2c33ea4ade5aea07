"""A store answers for one program, however and wherever that is looked at."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np

from experiments.sweep.ask import study
from experiments.sweep.lane import facts_of


def digest(function, axes):
    asked = study(function, axes)
    return facts_of(asked, asked.groups[0]).program


def holding(constant):
    """A function with a constant that two inner programs hide."""

    @jax.jit
    def inner(x):
        return (x + jnp.asarray(constant, jnp.float32)).sum()

    def deep(point, chip, key):
        x = point.mean
        return {"x": jax.lax.cond(x > 0, inner, lambda x: 2 * inner(x), x)}

    return deep


def test_a_constant_of_an_inner_program_is_part_of_the_program():
    axes, constant = {"mean": [0.0]}, np.array([0.0, 0.0, 1.0])
    first, same = (digest(holding(constant), axes) for _ in range(2))
    other = digest(holding(constant + 1e-6), axes)
    assert first == same != other


COMMAND = """
import sys
from tests.test_sweep_program import digest, holding
open(sys.argv[1], "w").write(digest(holding([1.0]), {"mean": [0.0]}))
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
