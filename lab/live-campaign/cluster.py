"""A small Dynamo deployment on loopback: a frontend with its router and mock workers.

usage: cluster.py up | ready | down

Reads NASHTRACE_CLUSTER (a folder for its files), CLUSTER_PORT, CLUSTER_WORKERS, ROUTER (options of
dynamo.frontend) from the environment. `up` returns at once; `ready` is done when the model can be asked.
"""

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "planner"))
import loopback  # noqa: E402
import model  # noqa: E402

FOLDER = Path(os.environ["NASHTRACE_CLUSTER"])
PORT = os.environ["CLUSTER_PORT"]
PIDS = FOLDER / "pids"
STOP_TIMEOUT_S = 20


def up() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "discovery").mkdir(parents=True)
    model.main(FOLDER / "model")
    start("frontend", "dynamo.frontend", "--http-host", "127.0.0.1", "--http-port", PORT, *shlex.split(os.environ["ROUTER"]))
    for number in range(int(os.environ["CLUSTER_WORKERS"])):
        start(
            f"worker-{number}", "dynamo.mocker", "--model-path", FOLDER / "model", "--model-name", "tiny",
            "--block-size", "16", "--num-gpu-blocks-override", "256", "--max-model-len", "8192",
        )


def start(name: str, module: str, *options: object) -> None:
    environment = os.environ | loopback.environment(FOLDER) | {"DYN_NAMESPACE": "campaign", "DYN_SYSTEM_PORT": "-1"}
    with (FOLDER / f"{name}.log").open("w") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, options)],
            env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )
    with PIDS.open("a") as pids:
        pids.write(f"{child.pid}\n")


def ready() -> None:
    """Every worker must be there, or the first runs would be of a smaller cluster."""
    workers = int(os.environ["CLUSTER_WORKERS"])
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=5) as answer:
        instances = json.load(answer).get("instances", [])
    generating = {each["instance_id"] for each in instances if each.get("endpoint") == "generate"}
    if len(generating) < workers:
        sys.exit(f"{len(generating)} of {workers} workers are there")
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/v1/models", timeout=5) as answer:
        if "tiny" not in answer.read().decode():
            sys.exit("the model is not there")


def down() -> None:
    pids = [int(line) for line in PIDS.read_text().splitlines()] if PIDS.exists() else []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGTERM)
    until = time.monotonic() + STOP_TIMEOUT_S
    while any(map(is_alive, pids)) and time.monotonic() < until:
        time.sleep(0.1)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    PIDS.unlink(missing_ok=True)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    try:
        {"up": up, "ready": ready, "down": down}[sys.argv[1]]()
    except (urllib.error.URLError, ConnectionError) as error:
        sys.exit(f"the frontend does not answer: {error}")
