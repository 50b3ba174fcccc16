"""Charts over time, drawn from points ``{"at": ISO 8601, name: number or None}``."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_base.vars.function import FunctionStringVar

HEIGHT = 190  # pixels
# Times are shown in the reader's own zone; durations in the unit that fits.
_TIME: rx.vars.FunctionVar[Any] = FunctionStringVar.create(
    "((t) => new Date(t).toLocaleString([], Date.now() - new Date(t) > 86400000"
    " ? {weekday: 'short', hour: '2-digit'} : {hour: '2-digit', minute: '2-digit'}))"
)
_DURATION: rx.vars.FunctionVar[Any] = FunctionStringVar.create(
    "((s) => s >= 5400 ? (s / 3600).toFixed(1) + ' h' : s >= 90 ? Math.round(s / 60) + ' min'"
    " : s >= 1 ? +s.toFixed(1) + ' s' : Math.round(s * 1000) + ' ms')"
)
_STAGES = (
    ("Asked to first seen", "var(--amber-9)"),
    ("Seen to decided", "var(--accent-9)"),
    ("Approved to gone on", "var(--green-9)"),
)
_ENDS = (
    ("Approved", "var(--green-9)"),
    ("Edited", "var(--teal-9)"),
    ("Changes requested", "var(--amber-9)"),
    ("Rejected", "var(--red-9)"),
    ("Expired", "var(--gray-9)"),
    ("By policy", "var(--blue-9)"),
)
# What a chart shows stands beside it in words: the keyboard need not stop in a picture.
_STILL = {"accessibilityLayer": False}
_QUIET = {"fontSize": 11, "fill": "var(--gray-11)"}
_TOOLTIP = {
    "background": "var(--color-panel-solid)",
    "border": "1px solid var(--gray-6)",
    "borderRadius": "6px",
    "fontSize": "12px",
    "color": "var(--gray-12)",
}


def bars(points: rx.Var[list[dict[str, Any]]]) -> rx.Component:
    """Show completed and failed jobs stacked, and what was enqueued as a line."""
    return _framed(
        rx.recharts.composed_chart(
            *_axes(duration=False),
            _bar("Completed", "var(--green-9)"),
            _bar("Failed", "var(--red-9)"),
            _line("Enqueued", "var(--gray-9)", dashed=True),
            data=points,
            height=HEIGHT,
            width="100%",
            bar_gap=1,
            custom_attrs=_STILL,
            margin={"top": 6, "right": 6, "left": -18, "bottom": 0},
        ),
        ("Completed", "var(--green-9)"),
        ("Failed", "var(--red-9)"),
        ("Enqueued", "var(--gray-9)"),
    )


def stages(points: rx.Var[list[dict[str, Any]]]) -> rx.Component:
    """Show the medians of the stages of reviews, in seconds."""
    return _framed(
        rx.recharts.line_chart(
            *_axes(duration=True),
            *[_line(name, colour) for name, colour in _STAGES],
            data=points,
            height=HEIGHT,
            width="100%",
            custom_attrs=_STILL,
            margin={"top": 6, "right": 6, "left": -6, "bottom": 0},
        ),
        *_STAGES,
    )


def endings(points: rx.Var[list[dict[str, Any]]]) -> rx.Component:
    """Show how reviews ended, stacked."""
    return _framed(
        rx.recharts.bar_chart(
            *_axes(duration=False),
            *[_bar(name, colour) for name, colour in _ENDS],
            data=points,
            height=HEIGHT,
            width="100%",
            custom_attrs=_STILL,
            margin={"top": 6, "right": 6, "left": -18, "bottom": 0},
        ),
        *_ENDS,
    )


def ages(points: rx.Var[list[dict[str, Any]]]) -> rx.Component:
    """Show how many wait, by age: ``at`` is its name."""
    return _framed(
        rx.recharts.bar_chart(
            *_axes(duration=False, named=True),
            _bar("Waiting", "var(--amber-9)"),
            data=points,
            height=HEIGHT,
            width="100%",
            custom_attrs=_STILL,
            margin={"top": 6, "right": 6, "left": -18, "bottom": 0},
        ),
        ("Waiting", "var(--amber-9)"),
    )


def lines(points: rx.Var[list[dict[str, Any]]], median: str, p95: str) -> rx.Component:
    """Show the median and the 95th percentile of a duration in seconds."""
    return _framed(
        rx.recharts.line_chart(
            *_axes(duration=True),
            _line(p95, "var(--amber-9)", dashed=True),
            _line(median, "var(--accent-9)"),
            data=points,
            height=HEIGHT,
            width="100%",
            custom_attrs=_STILL,
            margin={"top": 6, "right": 6, "left": -6, "bottom": 0},
        ),
        ("Median", "var(--accent-9)"),
        ("95th percentile", "var(--amber-9)"),
    )


def _framed(chart: rx.Component, *names: tuple[str, str]) -> rx.Component:
    legend = [
        rx.el.span(rx.el.span(class_name="ac-swatch", style={"background": colour}), name)
        for name, colour in names
    ]
    return rx.el.div(
        rx.el.div(*legend, class_name="ac-legend ac-meta"),
        rx.el.div(chart, aria_hidden="true", class_name="ac-chart"),
    )


def _axes(*, duration: bool, named: bool = False) -> list[rx.Component]:
    """Return grid, axes and tooltip; ``named``: along names instead of times."""
    form = {"tick_formatter": _DURATION} if duration else {"allow_decimals": False}
    time = {} if named else {"tick_formatter": _TIME}
    tooltip = {
        **({} if named else {"labelFormatter": _TIME}),
        **({"formatter": _DURATION} if duration else {}),
    }
    return [
        rx.recharts.cartesian_grid(vertical=False, stroke="var(--gray-5)"),
        rx.recharts.x_axis(
            data_key="at",
            tick=_QUIET,
            tick_line=False,
            axis_line=False,
            min_tick_gap=4 if named else 40,
            **time,
        ),
        rx.recharts.y_axis(tick=_QUIET, tick_line=False, axis_line=False, **form),
        rx.recharts.graphing_tooltip(
            content_style=_TOOLTIP,
            cursor={"fill": "var(--gray-a3)"},
            is_animation_active=False,
            custom_attrs=tooltip,
        ),
    ]


def _bar(name: str, colour: str) -> rx.Component:
    return rx.recharts.bar(
        data_key=name, stack_id="ended", fill=colour, is_animation_active=False, max_bar_size=18
    )


def _line(name: str, colour: str, *, dashed: bool = False) -> rx.Component:
    dash = {"stroke_dasharray": "4 3"} if dashed else {}
    return rx.recharts.line(
        data_key=name,
        stroke=colour,
        stroke_width=1.6,
        dot={"r": 1.6, "strokeWidth": 0, "fill": colour},  # a lone point has no line
        is_animation_active=False,
        connect_nulls=True,
        type_="monotone",
        **dash,
    )
