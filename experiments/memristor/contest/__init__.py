"""The contest of update rules: who takes part, what it costs, what comes of it."""
