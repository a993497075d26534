"""TensorFlow that knows no config: random numbers, warps, colours, fused layers."""
