"""Downloads a published file into memory; no other module of imgcls opens a connection."""

import hashlib
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing, suppress
from http import HTTPStatus

from imgcls.downloads.remote import Remote
from imgcls.files import reason

_PATIENCE_SECONDS = 30.0
_PART = 2**18  # bytes: the maximum between two reports


class DownloadError(Exception):
    """A file cannot be downloaded; the message gives the reason."""


def download(
    remote: Remote,
    progress: Callable[[int], None],
    *,
    patience_seconds: float = _PATIENCE_SECONDS,
) -> bytes:
    """Returns the content of a published file, after checking its size and SHA-256.

    Args:
        remote: the file.
        progress: receives the number of bytes downloaded so far.
        patience_seconds: the timeout of each wait for the server.

    Raises:
        DownloadError: if there is no network or no such file, if the download is cut off or too
            slow, or if the content is not what was published.
    """
    content = bytearray()
    try:
        with closing(urllib.request.urlopen(remote.url, timeout=patience_seconds)) as answer:  # noqa: S310 - our own addresses
            if answer.length not in {None, remote.bytes}:
                raise DownloadError(f"it has {answer.length:,} bytes, not {remote.bytes:,}")
            while part := answer.read1(min(remote.bytes + 1 - len(content), _PART)):
                content += part
                progress(len(content))
    except urllib.error.HTTPError as error:
        with error:
            raise DownloadError(f"the server answers {error.code}{_phrase(error.code)}") from error
    except (OSError, http.client.HTTPException) as error:
        raise DownloadError(_why(error, patience_seconds)) from error
    _check(content, remote)
    return bytes(content)


def _check(content: bytearray, remote: Remote) -> None:
    if len(content) > remote.bytes:
        raise DownloadError(f"it has more than {remote.bytes:,} bytes")
    if len(content) < remote.bytes:
        raise DownloadError(f"it was cut off after {len(content):,} of {remote.bytes:,} bytes")
    if hashlib.sha256(content).hexdigest() != remote.sha256:
        raise DownloadError("it is not what was published, by its SHA-256")


def _phrase(code: int) -> str:
    with suppress(ValueError):
        return f" {HTTPStatus(code).phrase}"
    return ""


def _why(error: Exception, patience_seconds: float) -> str:
    """Returns the innermost reason, as reported by the system."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        return _why(error.reason, patience_seconds)
    if isinstance(error, TimeoutError):
        return f"nothing came for {patience_seconds:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted, {error.verify_message}"
    if isinstance(error, OSError):
        return reason(error)
    return f"the server's answer makes no sense, {error!r}"
