"""Published statements, our numbers, verdicts that are computed, and their table."""

from experiments.claims.table import read_csv as read_csv
from experiments.claims.table import write_csv as write_csv
from experiments.claims.verdicts import MEANINGS as MEANINGS
from experiments.claims.verdicts import STAKE as STAKE
from experiments.claims.verdicts import VERDICTS as VERDICTS
from experiments.claims.verdicts import Claim as Claim
from experiments.claims.verdicts import above as above
from experiments.claims.verdicts import at_stake as at_stake
from experiments.claims.verdicts import below as below
from experiments.claims.verdicts import both as both
from experiments.claims.verdicts import judged as judged
from experiments.claims.verdicts import monotone as monotone
from experiments.claims.verdicts import not_attempted as not_attempted
from experiments.claims.verdicts import nothing_published as nothing_published
from experiments.claims.verdicts import spread as spread
from experiments.claims.verdicts import within as within
from experiments.claims.verdicts import within_reach as within_reach
