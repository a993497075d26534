"""Benchmarks for the speed claims: imgcls and its peers, measured on the same machine."""
