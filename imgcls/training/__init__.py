"""Training: the step engine, the training state, signals, and what is reported on the way."""
