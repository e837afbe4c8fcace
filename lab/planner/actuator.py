"""Stands for the deployment: starts and stops mock workers as the planner decides, and writes down each scaling.

usage: actuator.py MODEL LOG

Begins with one worker. Every line of LOG is a JSON object: when (seconds since 1970), from, to, decision.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from dynamo._core import VirtualConnectorClient
from dynamo.runtime import DistributedRuntime

POLL_S = 0.25
STOP_TIMEOUT_S = 20


class Workers:
    def __init__(self, model: str, logs: Path) -> None:
        self.command = [
            sys.executable, "-m", "dynamo.mocker", "--model-path", model, "--model-name", "tiny", "--block-size", "16",
            "--num-gpu-blocks-override", "256", "--max-model-len", "8192",
        ]
        self.logs = logs
        self.started = 0
        self.running: list[subprocess.Popen] = []

    def scale(self, replicas: int) -> None:
        while len(self.running) < replicas:
            self.started += 1
            with (self.logs / f"worker-{self.started}.log").open("w") as log:
                self.running.append(
                    subprocess.Popen(
                        self.command, stdout=log, stderr=subprocess.STDOUT, env=os.environ | {"DYN_SYSTEM_PORT": "-1"}
                    )
                )
        while len(self.running) > replicas:
            stop(self.running.pop())


def stop(worker: subprocess.Popen) -> None:
    worker.terminate()
    try:
        worker.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        worker.kill()
        worker.wait()


async def main(model: str, log: Path) -> None:
    stopping = asyncio.Event()
    for number in signal.SIGTERM, signal.SIGINT:
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    workers = Workers(model, log.parent)
    try:
        workers.scale(1)
        await follow(workers, log, stopping)
    finally:
        workers.scale(0)


async def follow(workers: Workers, log: Path, stopping: asyncio.Event) -> None:
    """Do what the planner decides until told to stop."""
    runtime = DistributedRuntime(asyncio.get_running_loop(), "file", "tcp", event_plane="zmq")
    client = VirtualConnectorClient(runtime, os.environ["DYN_NAMESPACE"])
    last = None
    while not stopping.is_set():
        decision = await client.get()
        if decision.decision_id >= 0 and decision.decision_id != last:
            before, replicas = len(workers.running), decision.num_decode_workers
            if replicas >= 0 and replicas != before:
                scaling = {"when": time.time(), "from": before, "to": replicas, "decision": decision.decision_id}
                with log.open("a") as file:
                    file.write(json.dumps(scaling) + "\n")
                await asyncio.to_thread(workers.scale, replicas)
            await client.complete(decision)
            last = decision.decision_id
        try:
            await asyncio.wait_for(stopping.wait(), POLL_S)
        except asyncio.TimeoutError:
            pass
    runtime.shutdown()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
