"""Dynamo on loopback alone, without etcd and NATS."""

from pathlib import Path


def environment(folder: Path) -> dict[str, str]:
    """What every process of a deployment must be told; they find each other by files under the folder."""
    hosts = "TCP_RPC", "TCP_RESPONSE_STREAM", "EVENT_PLANE", "HTTP_RPC", "SYSTEM"
    return {f"DYN_{host}_HOST": "127.0.0.1" for host in hosts} | {
        "DYN_DISCOVERY_BACKEND": "file", "DYN_FILE_KV": str(folder / "discovery"), "DYN_REQUEST_PLANE": "tcp",
        "DYN_EVENT_PLANE": "zmq", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1",
        "DYN_SDK_DISABLE_ANSI_LOGGING": "1", "NO_COLOR": "1",
    }
