"""A page of help, and the list, without waiting for what they do not use."""

import subprocess
import sys

import pytest
from rich.console import Console

from experiments import EXPERIMENTS, catalogue
from experiments.commands import cli

READS = """
import sys
from experiments.commands import cli
try:
    cli.main({words})
except SystemExit:
    pass
print(*sorted({{"jax", "xarray", "matplotlib", "scipy"}} & {{*sys.modules}}), "loaded")
"""


@pytest.mark.parametrize("words", [["list"], ["--help"], ["run", "--help"]])
def test_nothing_heavy_is_loaded_to_say_what_there_is(words):
    ran = subprocess.run(
        [sys.executable, "-c", READS.format(words=words)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines()[-1].split() == ["loaded"]


@pytest.mark.parametrize("name", [*EXPERIMENTS])
def test_the_text_of_an_experiment_says_what_the_module_says(name):
    module = catalogue.find(name)
    assert catalogue.about(name) == (module.REPRODUCES, [*catalogue.presets(module)])


@pytest.mark.parametrize("name", [*cli.COMMANDS])
def test_the_summary_is_that_of_the_command(name):
    import importlib

    known = cli.COMMANDS[name]
    if name in ("run", "sweep", "replay", "list"):  # these have no text of their own
        return
    module = importlib.import_module(f"experiments.commands.{known.module}")
    said = module.command(Console()).__doc__
    assert " ".join(said.split("\n\n")[0].split()) == known.summary
