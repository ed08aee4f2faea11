"""Reaching a Ray cluster: what is not there, is no Ray, or asks for a token ends in one line and soon."""

import http.server
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from spikinghash.errors import ConfigError, Temporary
from spikinghash.isolation import packages_alone
from spikinghash.training import ray_session
from spikinghash.training.ray_session import connect_ray

TOKEN = "RAY_AUTH_MODE=token"
#: Starts a local cluster as training does, and tells its address, how a worker sees the world, and a stranger's luck.
CLUSTER = """
import json, os, subprocess, sys
from spikinghash.isolation import packages_alone
from spikinghash.training.ray_session import connect_ray
import ray
with packages_alone() as folder:
    connect_ray(folder, None, 2)

    @ray.remote
    def look():
        import os, sys, spikinghash
        return sys.path, os.getcwd(), spikinghash.__file__

    seen = ray.get(look.remote())
    address = ray.get_runtime_context().gcs_address
    answers = {}
    for name, settings in json.loads(sys.argv[1]).items():
        plain = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        plain["HOME"] = "/nonexistent"
        if settings.get("RAY_AUTH_TOKEN") == "right":
            settings["RAY_AUTH_TOKEN"] = os.environ["RAY_AUTH_TOKEN"]
        command = [sys.executable, "-c", sys.argv[2], address]
        done = subprocess.run(command, env=plain | settings, capture_output=True, text=True)
        answers[name] = done.stdout.strip().splitlines()[-1:] or [done.stderr[-500:]]
    print(json.dumps([seen, os.getcwd(), answers]))
    ray.shutdown()
"""
STRANGER = """
import sys
from spikinghash.isolation import packages_alone
from spikinghash.training.ray_session import connect_ray
with packages_alone() as folder:
    try:
        connect_ray(folder, sys.argv[1], 1)
        print("in")
    except Exception as error:
        print(type(error).__name__, " ".join(str(error).split()))
"""


def refuse(address, kind, words):
    started = time.monotonic()
    with packages_alone() as folder, pytest.raises(kind, match=words) as error:
        connect_ray(folder, address, 1)
    assert "\n" not in str(error.value)
    assert address in str(error.value)
    assert time.monotonic() - started < 45


def test_a_dead_address_is_told_at_once():
    refuse("127.0.0.1:9", Temporary, "nothing answers there")


@pytest.mark.parametrize("address", ["nowhere", "host:port", "127.0.0.1"])
def test_what_is_no_address_is_told(address):
    refuse(address, ConfigError, "write host:port, auto, or null")


@pytest.mark.slow
def test_a_port_that_is_no_ray_is_given_up(monkeypatch):
    monkeypatch.setattr(ray_session, "HEALTH_S", 8.0)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        refuse(f"127.0.0.1:{server.server_port}", Temporary, "is no Ray cluster")
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.slow
def test_a_local_cluster_lets_in_who_has_its_token_and_imports_only_what_is_ours(tmp_path):
    settings = {"none": {}, "wrong": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "w" * 40},
                "right": {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "right"}}  # fmt: skip
    plain = {k: v for k, v in os.environ.items() if not k.startswith("RAY_AUTH")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", CLUSTER, json.dumps(settings), STRANGER], cwd=tmp_path, capture_output=True,
        text=True, check=False, env=plain | {"HOME": "/nonexistent"}, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    (path, folder, where), here, answers = json.loads(done.stdout.splitlines()[-1])
    assert str(tmp_path) not in path
    assert folder != str(tmp_path) == here
    assert where.endswith("spikinghash/__init__.py")
    assert answers["right"] == ["in"]
    for name in ("none", "wrong"):
        assert answers[name][0].startswith("ConfigError")
        assert TOKEN in answers[name][0]
