"""A data set in, batches out: splits, order, pipeline."""
