#!/usr/bin/env python3
"""Copies of PyTorch's on a stream of its own, timed by the library and by PyTorch's events.

Exits with 3 if there is no torch or no GPU, with 1 if the times differ by more than two records' worth.

example:
  ffi-tests/torch_copies.py target/release/libnashtrace.so target/gpu-check/trace-torch
"""

import argparse
import ctypes
import os
import re
import statistics
import struct
import sys
import time

ABI_VERSION = 1
CUDA_STREAM = 1
DONE = 1
UNKNOWN_U32 = 2**32 - 1
UNKNOWN_U64 = 2**64 - 1
STRATEGIES = {"H2D": 2, "D2H": 3, "D2D": 4}
# The function table: its size, version and features, and then functions in the header's order.
FIRST_FUNCTION = 16
FUNCTIONS = {
    "session_start": 0, "session_flush": 1, "session_stop": 2, "metrics_text": 10,
    "transfer_begin": 19, "transfer_enqueued": 20, "transfer_done": 21,
}
ALLOWED_MS = 0.02


class Library:
    """The calls of the C ABI that are needed."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path)
        library.nashtrace_get_api.restype = ctypes.c_void_p
        table = library.nashtrace_get_api(ABI_VERSION)
        for name, index in FUNCTIONS.items():
            address = ctypes.c_void_p.from_address(table + FIRST_FUNCTION + 8 * index).value
            setattr(self, name, ctypes.CFUNCTYPE(ctypes.c_uint32)(address))

    def begin(self, size: int, strategy: int, stream: int) -> int:
        head = struct.pack("<IBBHIIQ", 96, 0, 0, 0, 0, 0, 0)
        numbers = struct.pack("<7Q", 0, size, UNKNOWN_U64, *[UNKNOWN_U64] * 4)
        rest = struct.pack("<II8B", 1, UNKNOWN_U32, 0, 0, 0, 0, strategy, 0, 0, 0)
        record = ctypes.create_string_buffer(head + numbers + rest, 96)
        token = ctypes.c_uint64()
        status = self.transfer_begin(
            record, ctypes.c_void_p(stream), ctypes.c_uint32(CUDA_STREAM), ctypes.byref(token)
        )
        if status != 0:
            sys.exit(f"torch_copies: transfer_begin answers {status}")
        return token.value

    def timed_ms(self) -> float:
        """What all copies that were timed by events took together."""
        self.session_flush(ctypes.c_uint32(20000))
        text, length = ctypes.create_string_buffer(1 << 20), ctypes.c_size_t()
        self.metrics_text(text, ctypes.c_size_t(len(text)), ctypes.byref(length))
        pattern = r'^dynamo_kvbm_transfer_seconds_sum\{[^}]*cuda_events[^}]*\} (\S+)$'
        return 1e3 * sum(map(float, re.findall(pattern, text.value.decode(), re.MULTILINE)))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("library", help="the library")
    parser.add_argument("directory", help="where the trace goes")
    parser.add_argument("--repeats", type=int, default=30, metavar="N", help="copies of each size")
    arguments = parser.parse_args()
    try:
        import torch
    except ImportError:
        print("torch_copies: torch is not installed", file=sys.stderr)
        sys.exit(3)
    if not torch.cuda.is_available():
        print("torch_copies: torch has no GPU", file=sys.stderr)
        sys.exit(3)
    os.environ["NASHTRACE_DIR"] = arguments.directory
    library = Library(arguments.library)
    if (status := library.session_start(None)) != 0:
        sys.exit(f"torch_copies: the session does not start ({status})")
    stream = torch.cuda.Stream()
    size = 256 << 20
    host = torch.empty(size, dtype=torch.uint8, pin_memory=True)
    device, other = (torch.empty(size, dtype=torch.uint8, device="cuda") for _ in range(2))
    ways = {"H2D": (device, host), "D2H": (host, device), "D2D": (other, device)}

    def copy_once(name: str, count: int) -> tuple[float, float]:
        to, source = ways[name]
        first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        before = library.timed_ms()
        with torch.cuda.stream(stream):
            token = ctypes.c_uint64(library.begin(count, STRATEGIES[name], stream.cuda_stream))
            first.record(stream)
            to[:count].copy_(source[:count], non_blocking=True)
            last.record(stream)
            library.transfer_enqueued(token)
        stream.synchronize()
        library.transfer_done(token, ctypes.c_uint32(DONE))
        return library.timed_ms() - before, first.elapsed_time(last)

    deadline = time.monotonic() + 20
    while copy_once("H2D", 1 << 16)[0] == 0:
        if time.monotonic() > deadline:
            sys.exit("torch_copies: no copy is timed by events: see what the collector said")
        time.sleep(0.01)
    is_wrong = False
    print(f"{'':4}{'bytes':>12}{'library ms':>12}{'torch ms':>12}{'error ms':>12}")
    for name in ways:
        for count in (1 << 16, 1 << 20, 16 << 20, size):
            pairs = [copy_once(name, count) for _ in range(arguments.repeats)]
            ours, theirs = (statistics.median(times) for times in zip(*pairs))
            error = statistics.median(a - b for a, b in pairs)
            is_near = -0.001 <= error <= ALLOWED_MS + 0.02 * theirs
            is_wrong |= not is_near
            note = "" if is_near else "  WRONG"
            print(f"{name:4}{count:12}{ours:12.4f}{theirs:12.4f}{error:+12.4f}{note}")
    library.session_stop(ctypes.c_uint32(20000))
    sys.exit(1 if is_wrong else 0)


if __name__ == "__main__":
    main()
