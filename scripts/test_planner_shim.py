"""The planner's shim: its structs are those of the C ABI, and nothing of it raises into a planner."""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHIMS = ROOT / "patches/dynamo-1.6.1/shims"
sys.path.insert(0, str(SHIMS))
import nashtrace_planner as shim  # noqa: E402

LIBRARY = ROOT / "target/release/libnashtrace.so"
STRUCTS = {
    "head": shim.Head,
    "planner_tick": shim.PlannerTick,
    "planner_decision": shim.PlannerDecision,
    "planner_effect": shim.PlannerEffect,
    "api": shim.Api,
}


def listing() -> dict[str, tuple[int, int, str]]:
    """include/abi-1.txt: of a field its offset, size and declaration; of a struct its alignment and size."""
    lines = [line.split(" ", 3) for line in (ROOT / "include/abi-1.txt").read_text().splitlines()]
    return {name: (int(first), int(second), rest) for name, first, second, rest in lines}


@pytest.mark.parametrize("name", STRUCTS)
def test_the_structs_have_the_layout_of_the_abi(name):
    struct, abi = STRUCTS[name], listing()
    ours = {field: (getattr(struct, field).offset, getattr(struct, field).size) for field, *_ in struct._fields_}
    prefix = f"nashtrace_{name}."
    theirs = {field.removeprefix(prefix): abi[field][:2] for field in abi if field.startswith(prefix)}
    if name == "api":  # The table may have grown behind what the shim knows of it.
        theirs = {field: place for field, place in theirs.items() if place[0] < ctypes.sizeof(struct)}
    assert ours == theirs
    if name != "api":  # The table may grow behind what the shim knows of it.
        assert (ctypes.alignment(struct), ctypes.sizeof(struct)) == abi[f"nashtrace_{name}"][:2]


@pytest.mark.parametrize("name", STRUCTS.keys() - {"api"})
def test_the_fields_have_the_types_of_the_abi(name):
    words = {"double": ctypes.c_double, "uint64_t": ctypes.c_uint64, "uint32_t": ctypes.c_uint32,
             "uint16_t": ctypes.c_uint16, "uint8_t": ctypes.c_uint8}
    abi = listing()
    for field, kind in STRUCTS[name]._fields_:
        declared = abi[f"nashtrace_{name}.{field}"][2].split()[0]
        if declared in words and "[" not in abi[f"nashtrace_{name}.{field}"][2]:
            assert kind is words[declared], field


def test_the_constants_are_those_of_the_abi():
    abi = listing()
    for ours, theirs in {
        shim.ADVISORY: "PLANNER_FLAG_ADVISORY", shim.FRESH_TRAFFIC: "PLANNER_FLAG_FRESH_TRAFFIC",
        shim.LOAD_SCALING: "PLANNER_FLAG_LOAD_SCALING", shim.THROUGHPUT_SCALING: "PLANNER_FLAG_THROUGHPUT_SCALING",
    }.items():
        assert abi[f"NASHTRACE_{theirs}"][1] == ours
    for name in "SUBMITTED", "DROPPED", "APPLIED", "FAILED", "OBSERVED":
        assert abi[f"NASHTRACE_EFFECT_KIND_{name}"][1] == getattr(shim, name)
    for name in "CLOCK_TICKS", "CLOCK_CALLER", "UNKNOWN_U32", "UNKNOWN_U64", "ABI_VERSION":
        assert abi[f"NASHTRACE_{name}"][1] == getattr(shim, name)
    assert abi["NASHTRACE_NAME_SPACE_WORKER_TYPE"][1] == shim.SPACE_WORKER_TYPE
    assert abi["NASHTRACE_NAME_SPACE_PLANNER"][1] == shim.SPACE_PLANNER
    assert (abi["NASHTRACE_STATUS_OK"][1], abi["NASHTRACE_STATUS_ALREADY_RUNNING"][1]) == (
        shim.OK, shim.ALREADY_RUNNING)


HOOKS = {
    "engine_ticked": 7, "live_ticked": 6, "replay_observed": 2, "replay_decided": 4, "submitted": 3, "dropped": 3
}


def run(program: str, **variables: str) -> subprocess.CompletedProcess:
    # Variables that say where these tests find things mean nothing to the library, which would warn of them.
    outside = {name: value for name, value in os.environ.items() if not name.startswith("NASHTRACE_")}
    environment = {**outside, "PYTHONPATH": str(SHIMS), **variables}
    return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60)


def test_the_patch_calls_the_hooks_that_there_are():
    patch = (SHIMS.parent / "planner.patch").read_text()
    calls = [line for line in patch.splitlines() if " nashtrace." in line and "(" in line]
    called = {line.split("nashtrace.")[1].split("(")[0] for line in calls}
    assert called == HOOKS.keys()
    assert patch.count("if nashtrace.on:") == patch.count("nashtrace.") - patch.count("nashtrace.on:")


def test_without_the_variable_a_hook_is_one_check():
    done = run("import nashtrace_planner as n; print(n.on, n.library())", NASHTRACE_LIB="")
    assert done.stdout == "False None\n" and done.stderr == ""


@pytest.mark.parametrize("library, why", [
    ("libnashtrace.so", "give an absolute path"),
    ("/nowhere/libnashtrace.so", "cannot open shared object file"),
    ("", "nashtrace_get_api is missing"),
])
def test_a_library_that_cannot_be_used_is_told_once(library, why):
    library = library or ctypes.CDLL(None) and next(
        line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "libc.so" in line)
    done = run("import nashtrace_planner as n; [n.dropped(None, None, 'x') for _ in range(3)]; print(n.on)",
               NASHTRACE_LIB=library)
    assert done.stdout == "False\n" and done.returncode == 0
    assert done.stderr.startswith("nashtrace: nothing is recorded: NASHTRACE_LIB=") and why in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nothing_raises_into_the_planner(tmp_path):
    """Hooks that are given what no planner gives say so, once each, and let the planner go on."""
    calls = "; ".join(f"[n.{hook}(*[object()] * {count}) for _ in range(2)]" for hook, count in HOOKS.items())
    done = run(f"import nashtrace_planner as n; {calls}; print(n.on)",
               NASHTRACE_LIB=str(LIBRARY), NASHTRACE_DIR=str(tmp_path))
    assert done.stdout == "True\n" and done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert all(line.startswith("nashtrace: ") for line in done.stderr.splitlines()), done.stderr
    assert sum("engine_ticked recorded nothing" in line for line in done.stderr.splitlines()) == 1
