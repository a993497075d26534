"""Trains, evaluates and runs image classifiers that a YAML file describes."""

__version__ = "0.1.0"
