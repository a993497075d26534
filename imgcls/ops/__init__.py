"""TensorFlow that knows no config: random numbers, warps, colors, fused layers."""
