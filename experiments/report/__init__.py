"""One HTML page that shows what a results folder holds, with no help from outside."""

from experiments.report.write import Written as Written
from experiments.report.write import write as write
