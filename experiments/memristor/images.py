"""The images that the memristor experiments learn from."""

from functools import cache
from typing import Annotated

from experiments.data import DATA_SETS, Images, load_images
from experiments.validate import Checked, Count, one_of

DataSet = Annotated[str, one_of(*DATA_SETS)]


images = cache(load_images)
"""The images of a data set, read once."""


class Lesson(Checked):
    """Which images are learnt, and how many at once.

    Attributes:
        parts: into which the training images are cut; each must fill a batch.
        data: data set, see `experiments.data`.
        n_train: training images (structural).
        n_test: test images (structural).
        batch_size: images per step; an incomplete last batch is left out (structural).
    """

    parts = 1
    data: DataSet = "mnist5k"
    n_train: Count = 4000
    n_test: Count = 1000
    batch_size: Count = 64

    def __post_init__(self):
        """Check every field; the images must be there, and fill a batch."""
        super().__post_init__()
        for name in ("n_train", "n_test"):
            most = getattr(DATA_SETS[self.data], name)
            words = f"{self.data} has {most:,} of them"
            self.require(getattr(self, name) <= most, name, words)
        most, of = self.n_train // self.parts, f" / {self.parts}" * (self.parts > 1)
        words = f"must be at most n_train{of} = {most}"
        self.require(self.batch_size <= most, "batch_size", words)

    def images(self) -> Images:
        """The images, with their provenance."""
        return images(self.data, self.n_train, self.n_test)
