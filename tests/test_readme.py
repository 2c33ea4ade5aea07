"""The README's example runs, and prints what the README says it prints."""

import contextlib
import io
import re
from pathlib import Path

import jax
import numpy as np

README = Path(__file__).parents[1] / "README.md"


def fenced(language):
    return re.search(rf"```{language}\n(.*?)```", README.read_text(), re.S).group(1)


def numbers(text):
    return [float(n) for n in re.findall(r"[\d.]+", text)]


def test_the_example_prints_what_it_says():
    printed = io.StringIO()
    as_a_user = jax.numpy_dtype_promotion("standard")
    with as_a_user, contextlib.redirect_stdout(printed):
        exec(compile(fenced("python"), "README.md", "exec"), {})
    # another processor rounds otherwise, and 3000 noisy steps amplify it
    np.testing.assert_allclose(
        numbers(printed.getvalue()), numbers(fenced("text")), 0.3
    )


def test_the_example_is_short():
    lines = [line for line in fenced("python").splitlines() if line]
    assert len(lines) <= 20
