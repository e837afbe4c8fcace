"""Stands for the deployment: starts and stops mock workers as the planner decides, and writes down each scaling.

usage: actuator.py MODEL LOG aggregated|disaggregated

Begins with one worker of each type; aggregated workers are decode workers. Every line of LOG is a JSON object: when
(seconds since 1970), worker_type, from, to, decision.
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
    """The running workers of one type."""

    def __init__(self, worker_type: str, model: str, log: Path, mode: str) -> None:
        self.worker_type = worker_type
        self.log = log
        self.command = [
            sys.executable, "-m", "dynamo.mocker", "--model-path", model, "--model-name", "tiny", "--block-size", "16",
            "--num-gpu-blocks-override", "256" if mode == "aggregated" else "1024", "--max-model-len", "8192",
        ]
        if mode == "disaggregated":
            self.command += ["--disaggregation-mode", worker_type]
        self.started = 0
        self.running: list[subprocess.Popen] = []

    def follow(self, replicas: int, decision: int) -> None:
        """Scale to what was decided, if it is a change, and write it down; -1 is no opinion."""
        before = len(self.running)
        if replicas in (-1, before):
            return
        scaling = {"when": time.time(), "worker_type": self.worker_type, "from": before, "to": replicas}
        with self.log.open("a") as file:
            file.write(json.dumps(scaling | {"decision": decision}) + "\n")
        self.scale(replicas)

    def scale(self, replicas: int) -> None:
        while len(self.running) < replicas:
            self.started += 1
            with self.log.with_name(f"{self.worker_type}-{self.started}.log").open("w") as log:
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


async def main(model: str, log: Path, mode: str) -> None:
    stopping = asyncio.Event()
    for number in signal.SIGTERM, signal.SIGINT:
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    types = ["decode"] if mode == "aggregated" else ["prefill", "decode"]
    pools = {worker_type: Workers(worker_type, model, log, mode) for worker_type in types}
    try:
        for workers in pools.values():
            workers.scale(1)
        await follow(pools, stopping)
    finally:
        for workers in pools.values():
            workers.scale(0)


async def follow(pools: dict[str, Workers], stopping: asyncio.Event) -> None:
    """Do what the planner decides until told to stop."""
    runtime = DistributedRuntime(asyncio.get_running_loop(), "file", "tcp", event_plane="zmq")
    client = VirtualConnectorClient(runtime, os.environ["DYN_NAMESPACE"])
    last = None
    while not stopping.is_set():
        decision = await client.get()
        if decision.decision_id >= 0 and decision.decision_id != last:
            for worker_type, workers in pools.items():
                replicas = getattr(decision, f"num_{worker_type}_workers")
                await asyncio.to_thread(workers.follow, replicas, decision.decision_id)
            await client.complete(decision)
            last = decision.decision_id
        try:
            await asyncio.wait_for(stopping.wait(), POLL_S)
        except asyncio.TimeoutError:
            pass
    runtime.shutdown()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
