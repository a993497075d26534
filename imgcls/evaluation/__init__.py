"""Labels and probabilities become metrics."""
