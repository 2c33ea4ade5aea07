"""Figures of training on memristor arrays with error-aware probabilistic updates."""
