"""The commands: one module each, with a function of its name that returns a value."""
