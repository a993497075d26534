"""From labels and probabilities to figures: what a classifier is worth, and what it says."""
