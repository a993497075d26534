"""`imgcls check` opens a connection for data that it lacks, and only if it may."""

import pytest

from imgcls.commands.check import check
from imgcls.errors import DataError, ResourceError


@pytest.fixture
def mnist(tmp_path, monkeypatch, write_config):
    """A config of a set that is nowhere, with a cache that cannot be written."""
    (tmp_path / "file").write_bytes(b"")
    for name in ("IMGCLS_DATA", "IMGCLS_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    return write_config(dataset={"name": "mnist"})


def test_a_set_that_is_nowhere_is_to_be_downloaded(mnist):
    """
    The cache comes before the connection; that it was tried shows that a download was meant.
    """
    with pytest.raises(ResourceError, match="file/imgcls: cannot be written"):
        check(mnist, lambda _: None)


def test_offline_refuses_a_set_that_is_nowhere(mnist):
    """
    Where nothing may leave the machine, a config says what it lacks and stops.
    """
    with pytest.raises(DataError, match=r"mnist is not at hand; looked for .*mnist\.npz"):
        check(mnist, lambda _: None, offline=True)
