"""Whether there are traces and where they go, by OpenTelemetry's own variables."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP = "http/protobuf"
_EXTRA = "OTEL_* asks for traces, and the extra is not installed: pip install 'agent-console[otel]'"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Exporting:
    """How spans leave: to an OTLP collector or standard output, or to ``given`` at once (tests)."""

    to: Literal["otlp", "console", "given"]
    given: SpanExporter | None = None


def exporting(environ: Mapping[str, str] | None = None) -> Exporting | None:
    """Return where the variables say that spans go, or None when there is to be no tracing.

    Tracing is a convenience: what is wrong with it is logged and stops nothing.
    """
    variables = os.environ if environ is None else environ
    wanted = _wanted(variables)
    if wanted is None:
        return None
    if not _installed():
        _log.warning(_EXTRA)
        return None
    protocol = next((variables[name] for name in _PROTOCOLS if variables.get(name)), _HTTP)
    if wanted.to == "otlp" and protocol != _HTTP:
        _log.warning("%s=%s: traces are sent by %s only; none are", _PROTOCOLS[1], protocol, _HTTP)
        return None
    return wanted


def _wanted(variables: Mapping[str, str]) -> Exporting | None:
    if variables.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    match variables.get("OTEL_TRACES_EXPORTER", "").strip().lower():
        case "console":
            return Exporting("console")
        case "otlp":
            return Exporting("otlp")
        case "":
            has_endpoint = any(variables.get(name) for name in _ENDPOINTS)
            return Exporting("otlp") if has_endpoint else None
        case "none":
            return None
        case other:
            _log.warning("OTEL_TRACES_EXPORTER=%s is not known: otlp, console or none", other)
            return None


def _installed() -> bool:
    try:
        return all(
            find_spec(f"opentelemetry.{part}") for part in ("sdk", "exporter.otlp.proto.http")
        )
    except ModuleNotFoundError:  # of a package above
        return False
