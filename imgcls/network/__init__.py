"""Builds a keras.Sequential from checked layers and a data spec; gets and sets its weights."""
