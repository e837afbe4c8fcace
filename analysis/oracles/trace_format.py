"""A trace reader written from FORMAT.md alone, without a line of the project's own code.

It is slow and keeps everything in memory; its purpose is to disagree with the Rust reader if one of them, or
the document, is wrong.
"""

import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

KINDS = {1: "decision", 2: "candidate", 3: "request", 4: "setting", 5: "anchor", 6: "loss", 7: "name",
         8: "block", 9: "block_pool", 10: "transfer", 11: "planner_tick", 12: "planner_decision", 13: "planner_effect"}
HEAD = struct.Struct("<IBBHIIQ")
DECISION = struct.Struct("<QQQ 9d 7I BBH".replace(" ", ""))
CANDIDATE = struct.Struct("<Qddd QQQ 10I".replace(" ", ""))
REQUEST = struct.Struct("<QQQ 6I B7x".replace(" ", ""))
LOSS = struct.Struct("<QQ 8Q IB3x".replace(" ", ""))
NAME = struct.Struct("<IIB7x")
ANCHOR = struct.Struct("<QQQ")
BLOCK = struct.Struct("<QQ 4I 4B4x".replace(" ", ""))
BLOCK_POOL = struct.Struct("<QQQ 4I B7x".replace(" ", ""))
TRANSFER = struct.Struct("<7Q 2I 7Bx".replace(" ", ""))
PLANNER_TICK = struct.Struct("<QQ 16d II".replace(" ", ""))
PLANNER_DECISION = struct.Struct("<Q 3d 8I".replace(" ", ""))
PLANNER_EFFECT = struct.Struct("<QQ 4I B7x".replace(" ", ""))

DECISION_FIELDS = (
    "request attempt queue_wait_ns temperature overlap_score_credit overlap_score_credit_decay "
    "prefill_load_scale decode_active_request_weight host_cache_hit_weight disk_cache_hit_weight "
    "shared_cache_multiplier propensity isl_tokens block_size expected_output_tokens chosen pool "
    "worker_type policy mode reason flags"
).split()
CANDIDATE_FIELDS = (
    "worker cost effective_overlap_blocks preferred_taint_multiplier active_prefill_tokens "
    "total_kv_blocks max_batched_tokens rank flags device_blocks host_blocks disk_blocks shared_blocks "
    "cached_tokens active_requests active_decode_blocks additional_decode_blocks"
).split()
REQUEST_FIELDS = (
    "request attempt worker rank pool worker_type prefill_tokens blocks output_tokens phase"
).split()
ANCHOR_FIELDS = "monotonic_ns wall_ns uncertainty_ticks".split()
BLOCK_FIELDS = "hash request block position pool count event tier to_tier reason".split()
BLOCK_POOL_FIELDS = (
    "capacity_blocks bytes_per_block worker id name rank block_size tier"
).split()
TRANSFER_FIELDS = (
    "transfer bytes worker enqueued ended device_began device_ns blocks device from_tier to_tier "
    "from_medium to_medium strategy timing outcome"
).split()
PLANNER_TICK_FIELDS = (
    "tick config_generation interval_s observed_request_rate observed_isl observed_osl observed_ttft_ms "
    "observed_itl_ms observed_duration_s observed_kv_hit_rate predicted_request_rate predicted_isl "
    "predicted_osl predicted_kv_hit_rate target_ttft_ms target_itl_ms gpus gpu_hours action flags"
).split()
PLANNER_DECISION_FIELDS = (
    "tick capacity_request_rate estimated_latency_ms gpus_per_replica worker_type ready expected wanted "
    "decided minimum load_reason throughput_reason"
).split()
PLANNER_EFFECT_FIELDS = "tick duration_ns worker_type from to reason effect".split()
PLAIN = {
    "request": (REQUEST, REQUEST_FIELDS),
    "anchor": (ANCHOR, ANCHOR_FIELDS),
    "block": (BLOCK, BLOCK_FIELDS),
    "block_pool": (BLOCK_POOL, BLOCK_POOL_FIELDS),
    "transfer": (TRANSFER, TRANSFER_FIELDS),
    "planner_tick": (PLANNER_TICK, PLANNER_TICK_FIELDS),
    "planner_decision": (PLANNER_DECISION, PLANNER_DECISION_FIELDS),
    "planner_effect": (PLANNER_EFFECT, PLANNER_EFFECT_FIELDS),
}


@dataclass
class Record:
    kind: str
    producer: int
    sequence: int
    clock: int
    time: int
    fields: dict
    rows: list = field(default_factory=list)


@dataclass
class Trace:
    header: dict
    records: list
    complete: bool


def read(path: Path) -> Trace:
    data = path.read_bytes()
    assert data[:8] == b"NASHTRC\0"
    version, length, crc = struct.unpack_from("<III", data, 8)
    assert version == 1
    body = data[20 : 20 + length]
    assert zlib.crc32(body) == crc
    trace = Trace(parse_header(body), [], False)
    at = 20 + length
    sequences = {}
    while at < len(data):
        assert data[at : at + 4] == b"NTPK", at
        header_size, schema = struct.unpack_from("<HH", data, at + 4)
        (sequence,) = struct.unpack_from("<Q", data, at + 8)
        producer, records, rows, raw_size, body_size = struct.unpack_from("<5I", data, at + 112)
        flags, _clock, _zero, body_crc, header_crc = struct.unpack_from("<HBBII", data, at + 132)
        assert schema == 1 and zlib.crc32(data[at : at + 140]) == header_crc
        assert sequence == sequences.get(producer, 0)
        sequences[producer] = sequence + 1
        packed = data[at + header_size : at + header_size + body_size]
        assert zlib.crc32(packed) == body_crc
        raw = zstandard.ZstdDecompressor().decompress(packed, max_output_size=raw_size)
        assert len(raw) == raw_size
        found = parse_body(raw, producer)
        assert len(found) == records
        assert sum(len(record.rows) for record in found if record.kind == "decision") == rows
        trace.records += found
        trace.complete = bool(flags & 1)
        at += header_size + body_size
    return trace


def parse_header(body: bytes) -> dict:
    at = 0

    def number(code: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from("<" + code, body, at)
        at += struct.calcsize("<" + code)
        return value

    def string() -> str:
        nonlocal at
        length = number("Q")
        at += length
        return body[at - length : at].decode()

    header = {"library_version": string(), "host": string(), "process_id": number("I")}
    header |= {"process_name": string(), "started_wall_ns": number("Q")}
    header |= {"started_monotonic_ns": number("Q"), "started_ticks": number("Q")}
    header |= {"tick_source": string()}
    header["settings"] = {string(): string() for _ in range(number("Q"))}
    assert at == len(body)
    return header


def parse_body(raw: bytes, producer: int) -> list:
    records = []
    at = 0
    while at < len(raw):
        struct_size, count, rows, row_size, kind = struct.unpack_from("<IIIHB", raw, at)
        structs, at = planes(raw, at + 16, count, struct_size)
        row_bytes, at = planes(raw, at, rows, row_size)
        for data in structs:
            size, its_kind, clock, its_row_size, its_rows, sequence, time = HEAD.unpack_from(data)
            assert (size, its_kind, its_row_size) == (struct_size, kind, row_size)
            its = row_bytes[:its_rows]
            row_bytes = row_bytes[its_rows:]
            name = KINDS[kind]
            fields, rows_parsed = parse_record(name, data, its)
            records.append(Record(name, producer, sequence, clock, time, fields, rows_parsed))
        assert not row_bytes
    first = min((record.sequence for record in records), default=0)
    # Sequence numbers wrap around; a packet that does so holds both very small and very large ones.
    if max((record.sequence for record in records), default=0) - first > 1 << 31:
        return sorted(records, key=lambda record: (record.sequence + (1 << 31)) % (1 << 32))
    return sorted(records, key=lambda record: record.sequence)


def planes(raw: bytes, at: int, rows: int, width: int) -> tuple:
    if rows == 0:
        return [], at
    first = raw[at : at + width]
    at += width
    bitmap = raw[at : at + (width + 7) // 8]
    at += len(bitmap)
    matrix = [bytearray(first) for _ in range(rows)]
    for column in range(width):
        if bitmap[column // 8] >> (column % 8) & 1:
            for row in range(rows):
                matrix[row][column] = raw[at + row]
            at += rows
    return [bytes(row) for row in matrix], at


def parse_record(kind: str, data: bytes, rows: list) -> tuple:
    if kind == "decision":
        fields = dict(zip(DECISION_FIELDS, DECISION.unpack_from(data, 24), strict=True))
        return fields, [
            dict(zip(CANDIDATE_FIELDS, CANDIDATE.unpack_from(row), strict=True)) for row in rows
        ]
    if kind in PLAIN:
        layout, names = PLAIN[kind]
        return dict(zip(names, layout.unpack_from(data, 24), strict=True)), []
    if kind == "loss":
        produced, written, *lost, producer, of_kind = LOSS.unpack_from(data, 24)
        return {
            "produced": produced, "written": written, "lost": lost, "producer": producer, "of_kind": of_kind
        }, []
    if kind == "name":
        number, length, space = NAME.unpack_from(data, 24)
        return {"id": number, "space": space, "text": b"".join(rows)[:length].decode()}, []
    return {}, []
