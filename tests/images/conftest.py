"""Small pictures in files."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def picture():
    """Returns a function that writes a small picture, and the folders that it needs."""

    def write(path, level=100, size=(6, 8)):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((*size, 3), level, np.uint8)).save(path, "PNG")
        return path

    return write
