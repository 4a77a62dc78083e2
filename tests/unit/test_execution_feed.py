"""What the ansible side sends, and how often."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bedplate.execution.channel import EngineChannel
from bedplate.execution.feed import EXIT, PID, EventFeed, SecretFeed


@pytest.fixture
def channel() -> EngineChannel:
    return EngineChannel()


def test_events_arrive_whole_in_order_and_none_is_lost(channel: EngineChannel) -> None:
    taken: list[bytes] = []
    channel.offer({"a": 1})
    document = json.loads(Path(channel.path).read_bytes())
    assert document["a"] == 1
    feed = EventFeed(os.open(document["events"], os.O_WRONLY))
    channel.listen(taken.append)
    feed.send(PID + b"42\n")
    for number in range(500):
        feed.send_event(feed.describe({"event": "e", "number": number}), "x" * (number * 100) + "\n")
    feed.send(EXIT + b"7\n")
    channel.drain()
    os.close(feed.descriptor)
    assert [json.loads(line)["number"] for line in taken] == list(range(500))
    assert json.loads(taken[9])["stdout"] == "x" * 900 + "\n"
    assert (channel.pid, channel.exit_code) == (42, 7)
    channel.close()


TELL = """
import json, sys
from bedplate.execution.feed import SecretFeed
feed = SecretFeed(sys.argv[1])
for secret in json.load(sys.stdin):
    feed.tell(secret.encode())
"""


def test_secrets_of_many_processes_are_told_once_and_whole(channel: EngineChannel) -> None:
    channel.offer({})
    path = json.loads(Path(channel.path).read_bytes())["secrets"]
    secrets = [f"{number}-{'s' * 9000}\nline" for number in range(20)]
    workers = [subprocess.Popen([sys.executable, "-c", TELL, path], stdin=subprocess.PIPE, text=True) for _ in range(3)]
    for worker in workers:
        worker.communicate(json.dumps(secrets))
        assert worker.returncode == 0
    assert set(channel.new_secrets()) == set(secrets)
    assert channel.new_secrets() == []
    feed = SecretFeed(path)
    for secret in secrets:
        feed.tell(secret.encode())
    assert channel.new_secrets() == []
    channel.close()
