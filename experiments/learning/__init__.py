"""The one training loop: a network, a recipe, the arrays of a chip; curves come out."""
