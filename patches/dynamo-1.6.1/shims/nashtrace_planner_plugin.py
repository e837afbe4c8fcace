# SPDX-FileCopyrightText: The nashtrace authors
# SPDX-License-Identifier: Apache-2.0

"""nashtrace as a plugin of Dynamo's planner, for those who cannot patch it.

Put this file and ``nashtrace_planner.py`` on ``PYTHONPATH``, set ``NASHTRACE_LIB`` and ``NASHTRACE_DIR`` as always, and
add to the planner's configuration::

    "plugin_registration": {"in_process_plugins": [{
        "module": "nashtrace_planner_plugin", "class": "Recorder", "plugin_id": "nashtrace",
        "plugin_type": "constrain", "priority": 1000,
        "kwargs": {"advisory": false, "gpus_per_replica": {"prefill": 1, "decode": 1}}}]}

Leave ``needs`` empty: a plugin that needs traffic makes the planner pull it more often, and the load loop then misses
ticks. It accepts whatever it is shown, so that it has no part in a decision.

A stage plugin sees less than the patch records. In its traces

- times to first token, inter-token latencies, request durations, estimates, capacities, bounds, reasons, actions,
  GPU hours and the generation of the configuration are unknown, and so is which loop was due (a tick with predictions
  counts as one of the throughput loop);
- ``decided`` is what the stages merged to, if it is a change: the constrain stage itself and the planner's final
  budgets and minimums may still have altered or withdrawn it;
- whether it was submitted, dropped, applied or failed is unknown; the outcome is seen, by later ticks;
- advisory mode and the GPUs of a replica are what ``kwargs`` say;
- a tick that an earlier stage rejected is missing;
- an offline replay has the times of the machine, not its virtual ones.
"""

from __future__ import annotations

import importlib.util
import math
from typing import Any, Optional

import nashtrace_planner as nashtrace
from dynamo.planner.plugins.types import AcceptResult, ConstrainStageResponse


class Recorder:
    """A plugin of the constrain stage that records what it is shown."""

    def __init__(self, advisory: bool = False, gpus_per_replica: Optional[dict[str, float]] = None) -> None:
        self._advisory = advisory
        self._gpus_per_replica = gpus_per_replica or {}
        self._run = nashtrace.Run()
        self._is_patched = importlib.util.find_spec("dynamo.planner.nashtrace_planner") is not None

    async def Constrain(self, request: Any) -> ConstrainStageResponse:
        if nashtrace.on and not self._is_patched:
            self._record(request.context)
        return ConstrainStageResponse(accept=AcceptResult())

    def _record(self, context: Any) -> None:
        _record(self._run, context, self._advisory, self._gpus_per_replica)


@nashtrace.hook
def _record(library: nashtrace.Library, run: nashtrace.Run, context: Any, advisory: bool, gpus: dict) -> None:
    workers, traffic = context.observations.workers, context.observations.traffic
    prediction = context.predictions
    targets = {t.sub_component_type: t.replicas for t in context.proposal.targets} if context.proposal else {}
    components = {}
    for worker_type in "prefill", "decode":
        ready = getattr(workers, f"ready_{worker_type}", None)
        if ready is not None:
            target = targets.get(worker_type)
            components[worker_type] = nashtrace.Component(
                ready=ready,
                expected=getattr(workers, f"expected_{worker_type}"),
                wanted=target,
                decided=target if target != ready else None,
                gpus_per_replica=gpus.get(worker_type),
            )
    # A pull of the hit rate alone has zeros for the rest; only load mode makes one, and it predicts nothing.
    is_full = traffic is not None and (traffic.num_req > 0 or prediction is not None)
    fields = nashtrace.traffic_fields(traffic, None, is_full)
    if prediction is not None:
        interval_s = traffic.duration_s if traffic is not None else math.nan
        fields |= nashtrace.prediction_fields(prediction, interval_s)
    run.record_tick(
        library,
        components,
        None,
        config_generation=nashtrace.UNKNOWN_U64,
        gpu_hours=math.nan,
        flags=(nashtrace.ADVISORY if advisory else 0)
        | (nashtrace.FRESH_TRAFFIC if traffic is not None else 0)
        | (nashtrace.THROUGHPUT_SCALING if prediction is not None else 0),
        **fields,
    )
