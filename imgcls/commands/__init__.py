"""The verbs: one module each, with one function of its name; it returns a value, prints nothing."""
