"""On a terminal every claim is one line that begins with its verdict."""

import dataclasses
import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from experiments.claims import VERDICTS, Claim
from experiments.report import lines

CLAIM = Claim(
    claim="8x8 inverse is off [at 2 µS] by 25-30 % 逆行列\nat 12,000 samples "
    + "x " * 99,
    source="the paper, Fig. 5a",
    published=27.5,
    ours=23.25,
    low=23.2,
    high=25.7,
    unit="%",
    scale="reduced",
    verdict=VERDICTS[0],
)
CLAIMS = {
    "spu_inversion": [dataclasses.replace(CLAIM, verdict=v) for v in VERDICTS],
    "endurance": [dataclasses.replace(CLAIM, claim="short", ours=None)],
}


def shown(width, terminal):
    console = Console(width=width, file=io.StringIO(), force_terminal=terminal)
    console._color_system = None
    lines.show(CLAIMS, console)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_claim_is_one_line_that_the_terminal_holds(width):
    found = shown(width, terminal=True)
    assert len(found) == 5
    assert [line[:16].strip() for line in found] == [*VERDICTS, VERDICTS[0]]
    assert all(cell_len(line.rstrip()) <= width for line in found)
    assert all(line.rstrip().endswith("…") for line in found[:4])
    assert "short" in found[4]


@pytest.mark.parametrize("width", [40, 80])
def test_what_is_piped_is_one_line_and_whole(width):
    found = shown(width, terminal=False)
    assert len(found) == 5
    words = " ".join(CLAIM.claim.split())
    assert found[0] == f"reproduced        spu_inversion 23.25 %: {words}"
    assert found[4] == "reproduced        endurance: short"
