# SPDX-FileCopyrightText: The nashtrace authors
# SPDX-License-Identifier: Apache-2.0

"""nashtrace shim: tells the library that ``NASHTRACE_LIB`` names what the planner saw, decided and brought about.

Without the library every hook is one check of ``on``. Nothing here raises into the planner: what goes wrong is said
once on standard error, and the planner goes on. Live ticks carry the library's clock; those of an offline replay
carry its virtual time. A number that the planner did not have is NaN, a count that it did not have is all ones.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import itertools
import math
import numbers
import os
import sys
import time
import weakref
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

ABI_VERSION = 1
OK, ALREADY_RUNNING = 0, 8
CLOCK_TICKS, CLOCK_CALLER = 0, 1
SPACE_WORKER_TYPE, SPACE_PLANNER = 2, 6
ADVISORY, FRESH_TRAFFIC, LOAD_SCALING, THROUGHPUT_SCALING = 1, 2, 4, 8
SUBMITTED, DROPPED, APPLIED, FAILED, OBSERVED = 1, 2, 3, 4, 5
STOP_TIMEOUT_MS = 2000
UNKNOWN_U32, UNKNOWN_U64 = 2**32 - 1, 2**64 - 1

#: The only thing that a hook looks at when nothing is recorded.
on = bool(os.environ.get("NASHTRACE_LIB"))


def _fields(*groups: tuple) -> list:
    return [(name, kind) for kind, names in groups for name in names.split()]


class Head(ctypes.Structure):
    _fields_ = [
        ("struct_size", ctypes.c_uint32),
        ("kind", ctypes.c_uint8),
        ("clock", ctypes.c_uint8),
        ("row_size", ctypes.c_uint16),
        ("rows", ctypes.c_uint32),
        ("sequence", ctypes.c_uint32),
        ("time", ctypes.c_uint64),
    ]


class PlannerTick(ctypes.Structure):
    _fields_ = _fields(
        (Head, "head"),
        (ctypes.c_uint64, "tick config_generation"),
        (
            ctypes.c_double,
            "interval_s observed_request_rate observed_isl observed_osl observed_ttft_ms observed_itl_ms"
            " observed_duration_s observed_kv_hit_rate predicted_request_rate predicted_isl predicted_osl"
            " predicted_kv_hit_rate target_ttft_ms target_itl_ms gpus gpu_hours",
        ),
        (ctypes.c_uint32, "action flags"),
    )


class PlannerDecision(ctypes.Structure):
    _fields_ = _fields(
        (Head, "head"),
        (ctypes.c_uint64, "tick"),
        (ctypes.c_double, "capacity_request_rate estimated_latency_ms gpus_per_replica"),
        (
            ctypes.c_uint32,
            "worker_type ready expected wanted decided minimum load_reason throughput_reason",
        ),
    )


class PlannerEffect(ctypes.Structure):
    _fields_ = _fields(
        (Head, "head"),
        (ctypes.c_uint64, "tick duration_ns"),
        (ctypes.c_uint32, "worker_type from to reason"),
        (ctypes.c_uint8, "effect"),
        (ctypes.c_uint8 * 7, "reserved"),
    )


def _function(*arguments: Any) -> Any:
    return ctypes.CFUNCTYPE(ctypes.c_uint32, *arguments)


class Api(ctypes.Structure):
    """The function table as far as the shim uses it; functions that it does not call are plain pointers."""

    _fields_ = _fields(
        (ctypes.c_uint32, "struct_size abi_version"),
        (ctypes.c_uint64, "features"),
        (_function(ctypes.c_void_p), "session_start"),
        (ctypes.c_void_p, "session_flush"),
        (_function(ctypes.c_uint32), "session_stop"),
        (ctypes.c_void_p, "session_counters"),
        (
            _function(ctypes.c_uint8, ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_uint32)),
            "name",
        ),
        (ctypes.c_void_p, "request_key ticks decision request setting"),
        (_function(ctypes.c_char_p, ctypes.c_size_t, ctypes.POINTER(ctypes.c_size_t)), "metrics_text"),
        (ctypes.c_void_p, "session_switch session_dump block_pool block transfer"),
        (_function(ctypes.POINTER(PlannerTick)), "planner_tick"),
        (_function(ctypes.POINTER(PlannerDecision)), "planner_decision"),
        (_function(ctypes.POINTER(PlannerEffect)), "planner_effect"),
    )


class Library:
    """The library with a running session."""

    def __init__(self, path: str) -> None:
        if not os.path.isabs(path):
            raise OSError("give an absolute path")
        try:
            entry = ctypes.CDLL(path).nashtrace_get_api
        except AttributeError:
            raise OSError("not a nashtrace library: nashtrace_get_api is missing") from None
        entry.argtypes, entry.restype = [ctypes.c_uint32], ctypes.POINTER(Api)
        table = entry(ABI_VERSION)
        if not table:
            raise OSError(f"the library does not speak ABI version {ABI_VERSION}")
        self.api = table.contents
        if self.api.struct_size < ctypes.sizeof(Api):
            raise OSError(
                f"a table of {ctypes.sizeof(Api)} bytes is needed, the library has one of {self.api.struct_size}"
            )
        status = self.api.session_start(None)
        if status not in (OK, ALREADY_RUNNING):
            raise OSError(
                f"the session did not start (status {status}): is NASHTRACE_DIR set and writable?"
            )
        if status == OK:
            # An interpreter that ends by a signal skips the library's own exit handler.
            atexit.register(self.api.session_stop, STOP_TIMEOUT_MS)
        self._names: dict[tuple[int, str], int] = {}

    def name(self, space: int, text: Optional[str]) -> int:
        """The id of a name; 0 for none, or if the library refuses it."""
        if not text:
            return 0
        known = self._names.get((space, text))
        if known is None:
            id, raw = ctypes.c_uint32(0), str(text).encode()
            self.api.name(space, raw, len(raw), ctypes.byref(id))
            known = self._names[(space, text)] = id.value
        return known

    def metrics(self) -> str:
        """The library's metrics as Prometheus reads them."""
        to_spare, length = 1 << 14, ctypes.c_size_t()
        if self.api.metrics_text(None, 0, ctypes.byref(length)) != OK:
            return ""
        buffer = ctypes.create_string_buffer(length.value + to_spare)
        if self.api.metrics_text(buffer, len(buffer), ctypes.byref(length)) != OK:
            return ""
        return buffer.raw[: length.value].decode()


_library: Optional[Library] = None
_complaints: set[str] = set()


def _complain(text: str) -> None:
    if text not in _complaints:
        _complaints.add(text)
        try:
            print(f"nashtrace: {text}", file=sys.stderr)
        except (OSError, ValueError):
            pass  # A host whose standard error is gone must not hear of it from us.


def library() -> Optional[Library]:
    """The library, loaded at the first hook; None, and ``on`` false from then on, if it cannot be used."""
    global _library, on
    if _library is None and on:
        path = os.environ.get("NASHTRACE_LIB", "")
        try:
            _library = Library(path)
            _show_metrics(_library)
        except OSError as error:
            on = False
            _complain(f"nothing is recorded: NASHTRACE_LIB={path}: {error}")
    return _library


def _show_metrics(library: Library) -> None:
    """Show the library's metrics where the planner shows its own."""
    try:
        from prometheus_client import REGISTRY
        from prometheus_client.parser import text_string_to_metric_families
    except ImportError:
        return

    class Metrics:
        def describe(self) -> list:
            return []

        def collect(self) -> list:
            try:
                return list(text_string_to_metric_families(library.metrics()))
            except Exception as error:
                _complain(f"the metrics cannot be shown: {type(error).__name__}: {error}")
                return []

    REGISTRY.register(Metrics())


def hook(function: Callable) -> Callable:
    """Give the function the library as its first argument; whatever it raises ends here."""

    @functools.wraps(function)
    def guarded(*arguments: Any) -> None:
        try:
            loaded = library()
            if loaded is not None:
                function(loaded, *arguments)
        except Exception as error:
            _complain(f"{function.__name__} recorded nothing: {type(error).__name__}: {error}")

    return guarded


def number(value: Any) -> float:
    """A number that the planner may not have."""
    return float(value) if isinstance(value, numbers.Real) else math.nan


def count(value: Any) -> int:
    """A count that the planner may not have."""
    if isinstance(value, numbers.Real) and 0 <= value < UNKNOWN_U32:
        return int(value)
    return UNKNOWN_U32


#: Ticks are numbered through the process, so that those of successive replays do not meet.
_ticks = itertools.count(1)


@dataclass
class Component:
    """A component at one tick: what was seen of it, and what was decided."""

    ready: Any = None
    expected: Any = None
    wanted: Any = None
    decided: Any = None
    minimum: Any = None
    gpus_per_replica: Any = None
    capacity_request_rate: Any = None
    estimated_latency_ms: Any = None
    load_reason: Optional[str] = None
    throughput_reason: Optional[str] = None


@dataclass
class Run:
    """What is remembered of a planner from tick to tick."""

    tick: int = 0
    virtual_ns: Optional[int] = None
    ready: dict[str, int] = field(default_factory=dict)
    gpu_hours: float = 0.0
    gpu_hours_until_s: Optional[float] = None

    def head(self, record: type) -> Head:
        clock = CLOCK_TICKS if self.virtual_ns is None else CLOCK_CALLER
        return Head(struct_size=ctypes.sizeof(record), clock=clock, time=self.virtual_ns or 0)

    def record_tick(
        self,
        library: Library,
        components: dict[str, Component],
        action: Optional[str],
        virtual_s: Optional[float] = None,
        **fields: Any,
    ) -> None:
        """Record a tick, the changes of replicas that it saw, and what it decided for each component."""
        self.tick = next(_ticks)
        self.virtual_ns = None if virtual_s is None else round(virtual_s * 1e9)
        tick = PlannerTick(
            head=self.head(PlannerTick),
            tick=self.tick,
            action=library.name(SPACE_PLANNER, action),
            gpus=sum(number(c.ready) * number(c.gpus_per_replica) for c in components.values()),
            **{name: math.nan for name, kind in PlannerTick._fields_ if name in _UNKNOWN_UNLESS_TOLD},
        )
        for name, value in fields.items():
            setattr(tick, name, value)
        library.api.planner_tick(tick)
        for worker_type, component in components.items():
            ready = count(component.ready)
            before = self.ready.get(worker_type, ready)
            if ready != UNKNOWN_U32:
                self.ready[worker_type] = ready
                if ready != before:
                    self.record_effect(library, OBSERVED, worker_type, before, ready)
        for worker_type, component in components.items():
            self._record_decision(library, worker_type, component)

    def _record_decision(self, library: Library, worker_type: str, component: Component) -> None:
        decision = PlannerDecision(
            head=self.head(PlannerDecision),
            tick=self.tick,
            worker_type=library.name(SPACE_WORKER_TYPE, worker_type),
            load_reason=library.name(SPACE_PLANNER, component.load_reason),
            throughput_reason=library.name(SPACE_PLANNER, component.throughput_reason),
        )
        for name in "capacity_request_rate", "estimated_latency_ms", "gpus_per_replica":
            setattr(decision, name, number(getattr(component, name)))
        for name in "ready", "expected", "wanted", "decided", "minimum":
            setattr(decision, name, count(getattr(component, name)))
        library.api.planner_decision(decision)

    def record_effect(
        self,
        library: Library,
        effect: int,
        worker_type: str,
        before: Any,
        after: Any,
        reason: Optional[str] = None,
        duration_ns: int = UNKNOWN_U64,
        tick: Optional[int] = None,
    ) -> None:
        """Record what became of a tick's decision; ``tick`` is the last one unless it is told."""
        record = PlannerEffect(
            head=self.head(PlannerEffect),
            tick=self.tick if tick is None else tick,
            duration_ns=duration_ns,
            worker_type=library.name(SPACE_WORKER_TYPE, worker_type),
            to=count(after),
            reason=library.name(SPACE_PLANNER, reason),
            effect=effect,
        )
        setattr(record, "from", count(before))
        library.api.planner_effect(record)

    def count_gpu_hours(self, now_s: float, gpus: float) -> float:
        """GPU hours up to now, if so many GPUs were in use since the last call."""
        if self.gpu_hours_until_s is not None:
            self.gpu_hours += gpus * max(0.0, now_s - self.gpu_hours_until_s) / 3600
        self.gpu_hours_until_s = now_s
        return self.gpu_hours


_UNKNOWN_UNLESS_TOLD = {
    name for name, kind in PlannerTick._fields_ if kind is ctypes.c_double and name not in ("gpus", "gpu_hours")
}

#: By planner, and by engine of a replay.
_runs: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
#: By engine: what the stages of its last tick asked for, and what the replay observed before it.
_wanted: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
_replay_metrics: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def _run(planner_or_engine: Any) -> Run:
    return _runs.setdefault(planner_or_engine, Run())


def _worker_types(mode: str) -> list[str]:
    """The components that a planner of this mode governs. Dynamo calls aggregated workers decode workers."""
    return ["prefill", "decode"] if mode == "disagg" else ["prefill"] if mode == "prefill" else ["decode"]


def _wanted_replicas(outcome: Any) -> dict[str, Any]:
    """What the stages merged to, of the components that a proposal named."""
    if outcome.execute_action != "apply" or outcome.final_proposal is None:
        return {}
    proposed = {key.sub_component_type for key in outcome.proposed_components}
    targets = outcome.final_proposal.targets
    return {t.sub_component_type: t.replicas for t in targets if t.sub_component_type in proposed}


def _components(config: Any, counts: Any, gpus: dict, wanted: dict, scale_to: Any, diagnostics: Any) -> dict:
    components = {}
    for worker_type in _worker_types(config.mode):
        expected = getattr(counts, f"expected_num_{worker_type}", None)
        ready = getattr(counts, f"ready_num_{worker_type}", None)
        pending = getattr(counts, f"pending_num_{worker_type}", 0)
        if expected is None and ready is not None and pending:
            expected = ready + pending
        bounds = [
            getattr(config, f"{worker_type}_min_endpoint", None),
            getattr(diagnostics, f"throughput_lower_bound_{worker_type}"),
        ]
        if bounds[0] is None:
            bounds[0] = config.min_endpoint
        reasons = [
            getattr(diagnostics, f"{loop}_decision_reason_{worker_type}")
            or getattr(diagnostics, f"{loop}_decision_reason")
            for loop in ("load", "throughput")
        ]
        is_prefill = worker_type == "prefill"
        components[worker_type] = Component(
            ready=ready,
            expected=expected,
            wanted=wanted.get(worker_type),
            decided=getattr(scale_to, f"num_{worker_type}", None),
            minimum=max((bound for bound in bounds if bound is not None), default=None),
            gpus_per_replica=gpus.get(worker_type),
            capacity_request_rate=getattr(diagnostics, f"engine_rps_{worker_type}"),
            estimated_latency_ms=diagnostics.estimated_ttft_ms if is_prefill else diagnostics.estimated_itl_ms,
            load_reason=reasons[0],
            throughput_reason=reasons[1],
        )
    return components


def traffic_fields(traffic: Any, metrics: Any, is_full: bool) -> dict[str, float]:
    """The observed load. ``metrics`` repeats old values on later ticks, so it counts only beside a traffic pull; a
    pull that is not full has the hit rate alone. Averages over no request are the planner's own zeros."""
    if traffic is None:
        return {}
    fields = {"interval_s": number(traffic.duration_s), "observed_kv_hit_rate": number(traffic.kv_hit_rate)}
    if is_full:
        if traffic.duration_s > 0:
            fields["observed_request_rate"] = number(traffic.num_req) / traffic.duration_s
        fields["observed_isl"] = number(traffic.isl)
        fields["observed_osl"] = number(traffic.osl)
        fields["observed_ttft_ms"] = number(getattr(metrics, "ttft", None))
        fields["observed_itl_ms"] = number(getattr(metrics, "itl", None))
        fields["observed_duration_s"] = number(getattr(metrics, "request_duration", None))
    return fields


def prediction_fields(prediction: Any, interval_s: float) -> dict[str, float]:
    """The predicted load; Dynamo predicts requests per interval."""
    requests = number(prediction.predicted_num_req)
    return {
        "predicted_request_rate": requests / interval_s if interval_s > 0 else math.nan,
        "predicted_isl": number(prediction.predicted_isl),
        "predicted_osl": number(prediction.predicted_osl),
        "predicted_kv_hit_rate": number(prediction.predicted_kv_hit_rate),
    }


def _tick_fields(config: Any, tick: Any, tick_input: Any, metrics: Any, is_full: bool, diagnostics: Any) -> dict:
    traffic = tick_input.traffic
    interval_s = traffic.duration_s if traffic is not None else config.throughput_adjustment_interval_seconds
    has_targets = config.optimization_target == "sla"
    return {
        **traffic_fields(traffic, metrics, is_full),
        **prediction_fields(diagnostics, interval_s),
        "target_ttft_ms": number(config.ttft_ms) if has_targets else math.nan,
        "target_itl_ms": number(config.itl_ms) if has_targets else math.nan,
        "flags": (ADVISORY if config.advisory else 0)
        | (FRESH_TRAFFIC if traffic is not None else 0)
        | (LOAD_SCALING if tick.run_load_scaling else 0)
        | (THROUGHPUT_SCALING if tick.run_throughput_scaling else 0),
    }


@hook
def engine_ticked(
    library: Library,
    engine: Any,
    is_virtual: bool,
    tick: Any,
    tick_input: Any,
    outcome: Any,
    scale_to: Any,
    diagnostics: Any,
) -> None:
    """The engine has decided. Of a live tick this keeps what only the engine knows; ``live_ticked`` records it."""
    wanted = _wanted_replicas(outcome)
    if not is_virtual:
        _wanted[engine] = wanted
        return
    config, run = engine._config, _run(engine)
    gpus = {
        worker_type: getattr(getattr(engine._capabilities, worker_type), "resolved_gpu_cost_per_replica", None)
        or getattr(config, f"{worker_type}_engine_num_gpu", None)
        for worker_type in _worker_types(config.mode)
    }
    components = _components(config, tick_input.worker_counts, gpus, wanted, scale_to, diagnostics)
    used = sum(number(c.ready) * number(c.gpus_per_replica) for c in components.values())
    run.record_tick(
        library,
        components,
        diagnostics.execute_action,
        virtual_s=tick_input.now_s,
        gpu_hours=run.count_gpu_hours(tick_input.now_s, used),
        **_tick_fields(config, tick, tick_input, _replay_metrics.pop(engine, None), True, diagnostics),
    )


@hook
def replay_observed(library: Library, engine: Any, metrics: Any) -> None:
    """The latencies that an offline replay observed before the tick that follows."""
    _replay_metrics[engine] = metrics


@hook
def replay_decided(library: Library, engine: Any, scale_to: Any, prefill: Any, decode: Any) -> None:
    """An offline replay hands these targets to its simulator, or none if they are what there is already."""
    run = _run(engine)
    for worker_type, target in ("prefill", prefill), ("decode", decode):
        decided = getattr(scale_to, f"num_{worker_type}", None)
        if decided is None:
            continue
        ready = run.ready.get(worker_type)
        if target is None:
            run.record_effect(library, DROPPED, worker_type, ready, decided, "no_change")
        else:
            run.record_effect(library, SUBMITTED, worker_type, ready, target)


@hook
def live_ticked(
    library: Library,
    planner: Any,
    engine: Any,
    tick: Any,
    tick_input: Any,
    effects: Any,
    config_generation: int,
) -> None:
    """A live planner has decided, and will submit the decision next."""
    state, config = planner.environment.deployment_state(), planner.config
    gpus = {}
    for worker_type in _worker_types(config.mode):
        component = getattr(state, worker_type)
        gpus[worker_type] = component.gpus_per_replica or component.num_gpus
    diagnostics = effects.diagnostics
    is_full = bool(tick.use_full_traffic_metrics)
    _run(planner).record_tick(
        library,
        _components(
            config, tick_input.worker_counts, gpus, _wanted.pop(engine, {}), effects.scale_to, diagnostics
        ),
        diagnostics.execute_action,
        config_generation=config_generation,
        gpu_hours=number(planner._cumulative_gpu_hours),
        **_tick_fields(config, tick, tick_input, planner.environment.metrics_state(), is_full, diagnostics),
    )


def _decided(planner: Any, scale_to: Any) -> list[tuple[str, int]]:
    """The components that a decision has an opinion on, of those that the planner scales."""
    governed = [("prefill", planner.require_prefill), ("decode", planner.require_decode)]
    targets = [(t, getattr(scale_to, f"num_{t}", None)) for t, is_governed in governed if is_governed]
    return [(worker_type, target) for worker_type, target in targets if target is not None]


@hook
def dropped(library: Library, planner: Any, effects: Any, reason: str) -> None:
    """A live planner does not submit what it decided."""
    run = _run(planner)
    for worker_type, target in _decided(planner, effects.scale_to):
        run.record_effect(library, DROPPED, worker_type, run.ready.get(worker_type), target, reason)


@hook
def submitted(library: Library, planner: Any, effects: Any, task: Any) -> None:
    """A live planner submits what it decided; the task's end tells whether the environment took it."""
    if planner.config.advisory:
        dropped(planner, effects, "advisory")
        return
    run, tick, began = _run(planner), _run(planner).tick, time.monotonic_ns()
    targets = [(t, run.ready.get(t), target) for t, target in _decided(planner, effects.scale_to)]
    if not targets:
        return
    for worker_type, ready, target in targets:
        run.record_effect(library, SUBMITTED, worker_type, ready, target)

    @hook
    def applied(library: Library, task: Any) -> None:
        error = "cancelled" if task.cancelled() else task.exception()
        reason = error if isinstance(error, str) or error is None else type(error).__name__
        duration_ns = time.monotonic_ns() - began
        for worker_type, ready, target in targets:
            effect = APPLIED if error is None else FAILED
            run.record_effect(library, effect, worker_type, ready, target, reason, duration_ns, tick)

    task.add_done_callback(applied)
