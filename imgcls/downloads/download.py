"""A published file comes into memory; nothing else of this package ever opens a connection."""

import hashlib
import http.client
import queue
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing, suppress
from http import HTTPStatus

from imgcls.downloads.remote import Remote
from imgcls.files import reason

_PATIENCE_SECONDS = 30.0
_PART = 2**18  # bytes, at most, that are handed over together

_Parts = queue.SimpleQueue[bytes | Exception]


class DownloadError(Exception):
    """A file cannot be had; the text says why."""


def download(
    remote: Remote,
    progress: Callable[[int], None],
    *,
    patience_seconds: float = _PATIENCE_SECONDS,
) -> bytes:
    """Returns the content of a published file, which is what was published or not returned.

    Args:
        remote: the file.
        progress: is told how many of its bytes have come.
        patience_seconds: how long the server may say nothing.

    Raises:
        DownloadError: no network, no such file, cut off, too slow, or not what was published.
    """
    # A thread waits for the network: while a name is looked up, no signal would end the call.
    parts: _Parts = queue.SimpleQueue()
    over = threading.Event()
    threading.Thread(
        # Twice the time: who waits says what happened, the thread only has to end.
        target=_receive,
        args=(remote, 2 * patience_seconds, parts, over),
        daemon=True,
    ).start()
    content = bytearray()
    try:
        while part := _next(parts, patience_seconds):
            content += part
            progress(len(content))
    finally:
        over.set()
    _check(content, remote)
    return bytes(content)


def _receive(remote: Remote, seconds: float, parts: _Parts, over: threading.Event) -> None:
    """Hands over what comes, then nothing or the reason why it ended."""
    try:
        with closing(urllib.request.urlopen(remote.url, timeout=seconds)) as answer:  # noqa: S310 - our own addresses
            if answer.length not in {None, remote.bytes}:
                raise DownloadError(f"it has {answer.length:,} bytes, not {remote.bytes:,}")  # noqa: TRY301
            left = remote.bytes + 1
            while not over.is_set() and (part := answer.read1(min(left, _PART))):
                left -= len(part)
                parts.put(part)
        parts.put(b"")
    except urllib.error.HTTPError as error:
        with error:
            parts.put(DownloadError(f"the server answers {error.code}{_phrase(error.code)}"))
    except (OSError, http.client.HTTPException) as error:
        parts.put(DownloadError(_why(error)))
    except Exception as error:  # noqa: BLE001 - raised by the one who waits
        parts.put(error)


def _next(parts: _Parts, patience_seconds: float) -> bytes:
    try:
        part = parts.get(timeout=patience_seconds)
    except queue.Empty:
        raise DownloadError(f"nothing came for {patience_seconds:g} s") from None
    if isinstance(part, Exception):
        raise part
    return part


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


def _why(error: Exception) -> str:
    """Returns the innermost reason in the system's words."""
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, Exception):
        return _why(error.reason)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted, {error.verify_message}"
    if isinstance(error, OSError):
        return reason(error)
    return f"the server's answer makes no sense, {error!r}"
