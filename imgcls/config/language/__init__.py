"""YAML text, classes found by name, and messages with places: knows no particular class."""
