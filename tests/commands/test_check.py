"""`imgcls check` downloads missing data, but only if allowed."""

import pytest

from imgcls.commands.check import check
from imgcls.errors import DataError, ResourceError


@pytest.fixture
def mnist(tmp_path, monkeypatch, write_config):
    """A config for a data set that is not on disk, with a cache that cannot be written."""
    (tmp_path / "file").write_bytes(b"")
    for name in ("IMGCLS_DATA", "IMGCLS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    return write_config(dataset={"name": "mnist"})


def test_a_set_that_is_nowhere_is_to_be_downloaded(mnist):
    """
    The cache is opened before the connection, so its error shows that a download was attempted.
    """
    with pytest.raises(ResourceError, match="file/imgcls: cannot be written"):
        check(mnist, lambda _: None)


def test_offline_refuses_a_set_that_is_nowhere(mnist):
    """
    Without network access, the command must report which data is missing and stop.
    """
    with pytest.raises(DataError, match=r"mnist is not at hand; looked for .*mnist\.npz"):
        check(mnist, lambda _: None, offline=True)
