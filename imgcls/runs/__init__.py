"""A run folder: its status, metrics, checkpoints, lock and manifest."""
