"""Load a run, and predict with it."""
