"""From files and arrays to uint8 pictures: Pillow and NumPy, neither config nor TensorFlow."""
