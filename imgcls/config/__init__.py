"""The config language: its sections, its registries of components, and the reader."""
