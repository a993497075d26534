"""YAML with places, sections and registries, messages: knows no particular component."""
