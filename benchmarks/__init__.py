"""Speed as ratios against peers and floors: `make bench`."""
