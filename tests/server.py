"""A local server that hosts published files."""

import hashlib
import http.server
import threading

import pytest

from imgcls.downloads.remote import Remote


class Server(http.server.ThreadingHTTPServer):
    """Serves contents by path; a callable content handles the request itself."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Request)
        self.contents = {}
        self.asked = []
        self.over = threading.Event()

    def handle_error(self, request, client_address):
        """Ignores clients that disconnect, which tests do on purpose."""

    def has(self, name, content, **other):
        """Adds a content, and returns its description; `other` overrides fields with wrong ones."""
        self.contents[f"/{name}"] = content
        url = f"http://127.0.0.1:{self.server_port}/{name}"
        right = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        return Remote(url, **{**right, **other})


class Request(http.server.BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server

    def do_GET(self):
        """Sends the content at the path."""
        self.server.asked.append(self.path)
        content = self.server.contents.get(self.path)
        if content is None:
            self.send_error(404)
        elif callable(content):
            content(self)
        else:
            self.send(content)

    def send(self, content, length=None):
        """Sends a content, and declares this length."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *args):  # noqa: A002 - the library's name
        """Logs nothing."""


@pytest.fixture
def server():
    """A local server, with no contents yet."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()
