"""Downloads from a server on this machine that misbehaves in every way we could think of."""

import gzip
import hashlib
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from minilearn.data import DataError, DownloadError, data_home, fetch
from minilearn.data import download as module

CONTENT = np.random.default_rng(0).bytes(700_000)
HASH = hashlib.sha256(CONTENT).hexdigest()
SIZE = len(CONTENT)


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT; the first part of the path says how to misbehave."""

    def do_GET(self):
        """Answer one request."""
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.server.requests.append((self.path, start))
        getattr(self, self.path.strip("/").split("/")[0])(start)

    def reply(self, body, start=0, status=None, length=None, announce=True):
        """Send a body; with another Content-Length than it has if asked to."""
        self.send_response(status or (206 if start else 200))
        if announce:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def good(self, start):
        """Whole, with ranges."""
        if start >= SIZE:
            self.reply(b"", status=416)
        else:
            self.reply(CONTENT[start:], start)

    def drops(self, start):
        """Break off after 300,000 bytes each time."""
        self.reply(CONTENT[start : start + 300_000], start, length=SIZE - start)

    def drops_once(self, start):
        """Break off the first time; afterwards whole, but ranges are not known."""
        first = len(self.server.requests) == 1
        self.reply(CONTENT[: 300_000 if first else SIZE], length=SIZE)

    def dies(self, start):
        """Announce everything, send nothing more than the first try did."""
        self.reply(CONTENT[:100_000], length=SIZE)

    def wrong(self, start):
        """Other bytes of the right length."""
        self.reply((b"x" * SIZE)[start:], start)

    def login(self, start):
        """A page in place of the file."""
        self.reply(b"<html>please log in</html>")

    def silent_end(self, start):
        """Half the file, and no word on how long it should be."""
        self.reply(CONTENT[: SIZE // 2], announce=False)

    def missing(self, start):
        """There is no such file."""
        self.send_error(404)

    def repacked(self, start):
        """The content in a .gz of another size than the known one."""
        self.reply(gzip.compress(CONTENT, compresslevel=1, mtime=1)[start:], start)

    def log_message(self, *args):
        """Say nothing."""


@pytest.fixture
def server():
    """A server whose `requests` are listed, and `url(how)` its addresses."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests = []
    server.url = lambda how: f"http://127.0.0.1:{server.server_port}/{how}/file"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def get(server, folder, *hows, **kwargs):
    """Fetch the file from addresses that misbehave so."""
    urls = [server.url(how) for how in hows]
    return fetch("file.bin", urls, SIZE, HASH, folder, **kwargs)


def starts(server):
    """The byte each request began at."""
    return [start for _, start in server.requests]


# ---------------------------------------------------------------- what works in the end


def test_a_download_is_whole_and_leaves_nothing_beside_it(server, tmp_path):
    path = get(server, tmp_path / "new" / "folder", "good")
    assert path.read_bytes() == CONTENT
    assert os.listdir(path.parent) == ["file.bin"]


def test_a_file_that_is_there_is_not_asked_for(server, tmp_path):
    get(server, tmp_path, "good")
    assert get(server, tmp_path, "good").read_bytes() == CONTENT
    assert len(server.requests) == 1


def test_a_connection_that_drops_is_taken_up_where_it_ended(server, tmp_path):
    assert get(server, tmp_path, "drops").read_bytes() == CONTENT
    assert starts(server) == [0, 300_000, 600_000]


def test_a_server_without_ranges_begins_anew(server, tmp_path):
    assert get(server, tmp_path, "drops_once").read_bytes() == CONTENT
    assert starts(server) == [0, 300_000]


def test_a_later_run_continues_an_earlier_one(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:500_000])
    assert get(server, tmp_path, "good").read_bytes() == CONTENT
    assert starts(server) == [500_000]


def test_a_part_that_is_already_whole_only_gets_its_name(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    assert get(server, tmp_path, "good").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"y" * 500_000, CONTENT + b"more", b"y" * SIZE])
def test_a_wrong_part_is_thrown_away_and_the_file_fetched_anew(server, tmp_path, part):
    (tmp_path / "file.bin.part").write_bytes(part)
    assert get(server, tmp_path, "good").read_bytes() == CONTENT
    assert starts(server) == [len(part), 0]


@pytest.mark.parametrize("damaged", [CONTENT[:1000], b"z" * SIZE, b""])
def test_a_damaged_file_is_not_taken_for_the_whole_one(server, tmp_path, damaged):
    (tmp_path / "file.bin").write_bytes(damaged)
    assert get(server, tmp_path, "good").read_bytes() == CONTENT


@pytest.mark.parametrize("first", ["missing", "wrong", "login", "silent_end", "dies"])
def test_the_next_address_is_tried(server, tmp_path, first):
    assert get(server, tmp_path, first, "good").read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["file.bin"]


def test_progress_is_told_up_to_the_end(server, tmp_path):
    told = []
    get(server, tmp_path, "drops", progress=lambda *news: told.append(news))
    assert told[-1] == ("file.bin", SIZE, SIZE)
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_another_packing_of_the_same_content_will_do(server, tmp_path):
    def packed(how, **kwargs):
        return fetch("file.gz", server.url(how), 123, HASH, tmp_path, content=True, **kwargs)

    assert gzip.decompress(packed("repacked").read_bytes()) == CONTENT
    packed("missing")  # it is there: nobody is asked
    (tmp_path / "file.gz").write_bytes(gzip.compress(CONTENT)[:-20])
    with pytest.raises(DownloadError):
        packed("missing")
    assert gzip.decompress(packed("repacked").read_bytes()) == CONTENT


# ---------------------------------------------------------------- what cannot work


@pytest.mark.parametrize("how, words", [
    ("missing", "404"),
    ("wrong", "has the SHA-256"),
    ("login", f"has 26 bytes instead of {SIZE}"),
    ("silent_end", f"has {SIZE // 2} bytes instead of {SIZE}"),
    ("dies", f"broke off after 100000 of {SIZE} bytes"),
])
def test_what_went_wrong_is_said_for_each_address(server, tmp_path, how, words):
    with pytest.raises(DownloadError, match=words) as caught:
        get(server, tmp_path, how, "missing")
    message = str(caught.value)
    for part in ("file.bin (0.7 MB)", server.url(how), server.url("missing"), str(tmp_path),
                 "MINILEARN_DATA", "data.digits()"):
        assert part in message
    assert not (tmp_path / "file.bin").exists()
    assert isinstance(caught.value, DataError)
    assert isinstance(caught.value, OSError)


def test_a_page_that_is_no_gz_is_said_to_be_none(server, tmp_path):
    with pytest.raises(DownloadError, match=r"is no whole \.gz file"):
        fetch("file.gz", server.url("login"), 26, HASH, tmp_path, content=True)


def test_a_broken_connection_keeps_what_has_arrived(server, tmp_path):
    with pytest.raises(DownloadError, match="what has arrived is kept"):
        get(server, tmp_path, "dies")
    assert (tmp_path / "file.bin.part").stat().st_size == 100_000
    assert len(server.requests) == 1 + module.ATTEMPTS


def test_ctrl_c_leaves_a_part_and_the_next_run_finishes_it(server, tmp_path):
    def interrupt(name, done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(server, tmp_path, "good", progress=interrupt)
    assert os.listdir(tmp_path) == ["file.bin.part"]
    assert get(server, tmp_path, "good").read_bytes() == CONTENT
    assert starts(server)[1] > 0


def test_without_a_network_the_message_says_what_to_do(tmp_path):
    with socket.socket() as closed:  # bound and not listening: connections are refused
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/file"
        with pytest.raises(DownloadError, match=r"(?s)refused.*MINILEARN_DATA.*data\.digits\(\)"):
            fetch("file.bin", url, SIZE, HASH, tmp_path)
    assert not any(tmp_path.iterdir())


def test_a_silent_server_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file"
        with pytest.raises(DownloadError, match="timed out"):
            fetch("file.bin", url, SIZE, HASH, tmp_path)


def test_a_folder_that_cannot_be_written_is_named(server, tmp_path):
    (tmp_path / "taken").write_text("a file where a folder should be")
    with pytest.raises(DownloadError, match="taken"):
        get(server, tmp_path / "taken", "good")


# ---------------------------------------------------------------- where


def test_minilearn_data_is_the_home(monkeypatch, tmp_path):
    monkeypatch.setenv("MINILEARN_DATA", str(tmp_path))
    assert data_home() == tmp_path
    monkeypatch.setenv("MINILEARN_DATA", "some/where")
    assert data_home() == Path.cwd() / "some" / "where"


@pytest.mark.parametrize("platform, variable, expected", [
    ("linux", None, ".cache/minilearn"),
    ("linux", "XDG_CACHE_HOME", "chosen/minilearn"),
    ("darwin", "XDG_CACHE_HOME", "Library/Caches/minilearn"),
    ("win32", None, "AppData/Local/minilearn"),
    ("win32", "LOCALAPPDATA", "chosen/minilearn"),
])
def test_else_a_cache_folder_of_the_platform(monkeypatch, tmp_path, platform, variable, expected):
    for name in ("MINILEARN_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module.sys, "platform", platform)
    monkeypatch.setenv("HOME", str(tmp_path))
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "chosen"))
    assert data_home() == tmp_path / expected
