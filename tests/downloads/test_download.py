"""A download returns what was published, or nothing."""

import ast
import os
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

import imgcls
from imgcls.downloads.download import DownloadError, download
from imgcls.downloads.remote import Remote

CONTENT = bytes(range(256)) * 4096  # 1 MiB: several parts
NETWORK = {"socket", "urllib", "http", "ssl", "ftplib", "smtplib", "socketserver", "xmlrpc"}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def fetched(remote, patience_seconds=10):
    """Returns the content, or the reason why there is none."""
    try:
        return download(remote, lambda _: None, patience_seconds=patience_seconds)
    except DownloadError as error:
        return str(error)


def test_what_was_published_comes_and_is_counted(server):
    """
    A download of 170 MB takes minutes; only a count that grows shows that the network does not
    hang.
    """
    seen: list[int] = []

    assert CONTENT == download(server.has("a", CONTENT), seen.append)
    assert sorted(set(seen)) == seen
    assert len(CONTENT) == seen[-1]


def test_another_content_of_the_same_size_is_refused(server):
    """
    An attacker on the network, or a new owner of the server, must not choose what users train on.
    """
    remote = replace(server.has("a", CONTENT), sha256="0" * 64)

    assert "it is not what was published, by its SHA-256" == fetched(remote)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (len(CONTENT), "it was cut off after 1,000 of 1,048,576 bytes"),
        (1000, "it has 1,000 bytes, not 1,048,576"),
    ],
)
def test_a_content_that_is_too_short_is_refused(server, said, wrong):
    """
    A hotel's login page is as common as a connection that breaks.
    """
    remote = server.has("a", CONTENT)
    server.contents["/a"] = lambda request: request.send(CONTENT[:1000], said)

    assert wrong == fetched(remote)


def test_a_content_without_end_is_not_taken_in(server):
    """
    A server that never stops must not fill the memory.
    """
    sent = []

    def endless(request):
        request.send_response(200)
        request.end_headers()
        while not server.over.is_set():
            sent.append(request.wfile.write(CONTENT))

    remote = server.has("a", CONTENT)
    server.contents["/a"] = endless

    assert "it has more than 1,048,576 bytes" == fetched(remote)
    assert sum(sent) < 50 * len(CONTENT)  # what the system buffers


def test_what_the_server_answers_is_said(server):
    """
    A file that has moved requires another remedy than a network that is down.
    """
    url = server.has("a", b"").url + "/nowhere"

    assert "the server answers 404 Not Found" == fetched(Remote(url, 1, ""))


def test_a_refused_connection_is_said():
    """
    Being offline is the most common reason for a failed download.
    """
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    assert "connection refused" == fetched(Remote(f"http://127.0.0.1:{port}/a", 1, ""))


def test_an_answer_that_is_no_http_is_said(server):
    """
    Another service on the port, or a broken proxy, must not look like a bug in imgcls.
    """
    remote = server.has("a", CONTENT)
    server.contents["/a"] = lambda request: request.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")

    assert fetched(remote).startswith("the server's answer makes no sense, BadStatusLine")


def hanging(server, then=lambda: None):
    """Returns a file whose server sends only the beginning."""
    remote = server.has("a", CONTENT)

    def half(request):
        request.send(CONTENT[:1000], len(CONTENT))
        then()
        server.over.wait(60)

    server.contents["/a"] = half
    return remote


def test_a_server_that_says_nothing_is_given_up(server):
    """
    A job on a cluster must not occupy its machine forever.
    """
    assert "nothing came for 0.3 s" == fetched(hanging(server), patience_seconds=0.3)


def test_a_server_that_does_not_even_answer_is_given_up(server):
    """
    This is what a firewall that drops packets looks like.
    """
    remote = server.has("a", CONTENT)
    server.contents["/a"] = lambda _: server.over.wait(60)

    assert "nothing came for 0.3 s" == fetched(remote, patience_seconds=0.3)


def test_a_download_that_hangs_can_be_stopped(server):
    """
    Ctrl-C must work at once, even while nothing arrives.
    """

    def press():
        time.sleep(0.3)  # by then, the download is waiting for more
        os.kill(os.getpid(), signal.SIGINT)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fetched(hanging(server, press), patience_seconds=60)
    assert time.monotonic() - began < 5


def test_nothing_else_knows_the_network():
    """
    Users classify confidential images, such as medical scans, and rely on imgcls contacting nobody.
    """
    root = Path(imgcls.__file__).parent
    knowing = {
        str(module.relative_to(root)): use
        for module in root.rglob("*.py")
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if (use := used(node)) and use != "socket.gethostname"
    }

    assert {"downloads/download.py"} == set(knowing)


def used(node):
    """Returns what a node imports from, renames or uses of the network modules; else nothing."""
    if isinstance(node, ast.ImportFrom):
        return node.module if str(node.module).split(".")[0] in NETWORK else ""
    if isinstance(node, ast.Import):
        return "".join(each.name for each in node.names if each.name in NETWORK and each.asname)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}" if node.value.id in NETWORK else ""
    return ""
