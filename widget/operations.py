"""What operators and proxies ask: alive, ready, figures, and the description of the API."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import yaml
from flask import Blueprint, Response, jsonify
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from desk.readiness import can_write
from desk.store.turns import outcome_counts
from touchpoints.exceptions import StoreError
from widget.errors import error_response
from widget.services import Services

OPENAPI = Path(__file__).parent / "openapi.yml"


def operations(services: Services, notes: Callable[[], Sequence[str]]) -> Blueprint:
    """``/healthz``, ``/readyz``, ``/metrics`` and ``/api/openapi.json``; ``notes`` says what is wrong with files that the company wrote."""
    routes = Blueprint("operations", __name__)
    registry = CollectorRegistry()
    registry.register(Figures(services))
    described = yaml.CSafeLoader(OPENAPI.read_text(encoding="utf-8")).get_single_data()  # ten times as fast as safe_load

    @routes.get("/healthz")
    def alive() -> ResponseReturnValue:
        try:
            can_write(services.database)
        except StoreError:
            return error_response(503, "unavailable", "The database cannot be written.")
        return jsonify({"alive": True})

    @routes.get("/readyz")
    def ready() -> ResponseReturnValue:
        parts = services.readiness.parts()
        whole = all(part.ready for part in parts.values())
        shown = {name: {"ready": part.ready, "message": part.message} for name, part in parts.items()}
        return jsonify({"ready": whole, "parts": shown, "notes": list(notes())}), 200 if whole else 503

    @routes.get("/metrics")
    def metrics() -> ResponseReturnValue:
        return Response(generate_latest(registry), mimetype="text/plain; version=0.0.4")

    @routes.get("/api/openapi.json")
    def openapi() -> ResponseReturnValue:
        return jsonify(described)

    return routes


class Figures(Collector):
    """Figures read from the database at each scrape, so that they are right after a restart and the same from every process."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: registering must not read the database."""
        return ()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One family a figure."""
        with self._services.database.reading() as connection:
            counts = outcome_counts(connection)
        messages = GaugeMetricFamily("touchdesk_messages", "Messages of customers by outcome.", labels=["outcome"])
        for outcome, count in sorted(counts.items()):
            messages.add_metric([outcome], count)
        yield messages
        ready = GaugeMetricFamily("touchdesk_part_ready", "Whether a part answers.", labels=["part"])
        for name, part in self._services.readiness.parts().items():
            ready.add_metric([name], float(part.ready))
        yield ready
        yield GaugeMetricFamily("touchdesk_streams", "Open event streams of this process.", value=self._services.wakeups.count())
