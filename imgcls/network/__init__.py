"""Checked layers and a data spec become a keras.Sequential; its weights in and out."""
