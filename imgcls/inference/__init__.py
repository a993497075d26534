"""Loads a run and predicts with it."""
