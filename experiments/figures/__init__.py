"""How results are drawn: one look, and one figure for any sweep."""
