"""What the results of the commands look like: one module per type of result."""
