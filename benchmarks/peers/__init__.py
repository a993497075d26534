"""Measures the alternatives that people would use, through their public interfaces only."""
