"""FORMAT.md is enough to write a reader: an independent one reads what the Rust one reads."""

from collections import Counter

import trace_format
import xxhash
from conftest import tool


def test_counts_agree(run, trace):
    info = tool("info", str(run))
    counts = Counter(record.kind for record in trace.records)
    counts["candidate"] = sum(len(r.rows) for r in trace.records if r.kind == "decision")
    assert info["records"] == dict(counts)
    (process,) = info["processes"]
    assert process["complete"] == trace.complete is True
    assert process["host"] == trace.header["host"]
    assert process["settings"] == trace.header["settings"]


def test_every_field_of_every_decision_agrees(run, trace):
    listed = tool("decisions", str(run), "--candidates")["decisions"]
    names = {(r.fields["space"], r.fields["id"]): r.fields["text"] for r in trace.records if r.kind == "name"}
    found = [record for record in trace.records if record.kind == "decision"]
    assert len(listed) == len(found) > 0
    for ours, theirs in zip(listed, found, strict=True):
        fields = theirs.fields
        assert ours["time_ns"] == theirs.time and ours["sequence"] == theirs.sequence
        assert int(ours["request"], 16) == fields["request"]
        assert ours["pool"] == names[1, fields["pool"]]
        assert ours["worker_type"] == names[2, fields["worker_type"]]
        assert ours["policy"] == names[3, fields["policy"]]
        for name in ("propensity", "isl_tokens", "block_size", "temperature", "queue_wait_ns",
                     "overlap_score_credit", "prefill_load_scale", "expected_output_tokens"):
            assert ours[name] == fields[name], name
        assert len(ours["candidates"]) == len(theirs.rows)
        for row, candidate in zip(ours["candidates"], theirs.rows, strict=True):
            assert row == {name: candidate[name] for name in row}
        assert ours["chosen"] == ours["candidates"][fields["chosen"]]


def test_prompt_lengths_are_the_simulators_own(trace, outcomes):
    """What joins an outcome to its decision: the request, and its prompt tokens in every pool."""
    tokens = {int(outcome["request_key"], 16): outcome["input_length"] for outcome in outcomes}
    for record in trace.records:
        if record.kind == "decision":
            assert record.fields["isl_tokens"] == tokens[record.fields["request"]]


def test_candidates_are_in_worker_order(trace):
    for record in trace.records:
        order = [(row["worker"], row["rank"]) for row in record.rows if record.kind == "decision"]
        assert order == sorted(order)


NUMBERS = {name: number for number, name in trace_format.KINDS.items()}


def test_the_conservation_law_holds_in_the_last_ledgers(trace):
    ledgers = {
        (r.fields["producer"], r.fields["of_kind"]): r.fields for r in trace.records if r.kind == "loss"
    }
    assert ledgers
    written = Counter()
    for record in trace.records:
        kind = NUMBERS[record.kind]
        if record.kind != "loss":
            written[record.producer, kind] += 1
        if kind == 1:
            written[record.producer, 2] += len(record.rows)
    assert set(ledgers) == set(written)
    for account, ledger in ledgers.items():
        assert ledger["produced"] == ledger["written"] + sum(ledger["lost"])
        assert ledger["written"] == written[account]


def test_sequences_have_no_gap(trace):
    following = {}
    for record in trace.records:
        assert record.sequence == following.get(record.producer, 0)
        following[record.producer] = record.sequence + 1


def test_request_keys_are_xxh3(trace, outcomes):
    for outcome in outcomes:
        assert int(outcome["request_key"], 16) == xxhash.xxh3_64_intdigest(outcome["uuid"])
    routed = {r.fields["request"] for r in trace.records if r.kind == "decision"}
    assert routed == {int(outcome["request_key"], 16) for outcome in outcomes}


def test_every_booking_follows_a_decision_for_the_same_worker(trace):
    chosen = {}
    phases = Counter()
    for record in trace.records:
        fields = record.fields
        if record.kind == "decision":
            chosen[fields["request"], fields["pool"]] = record.rows[fields["chosen"]]["worker"]
        elif record.kind == "request":
            phases[fields["phase"]] += 1
            assert fields["worker"] == chosen[fields["request"], fields["pool"]]
    decisions = sum(record.kind == "decision" for record in trace.records)
    assert phases[1] == phases[4] == decisions
