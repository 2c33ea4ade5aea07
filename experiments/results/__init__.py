"""Results as files, and what a number depends on."""
