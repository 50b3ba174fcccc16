"""Images before and after, from the console's own address, with what it measured of them."""

from __future__ import annotations

from typing import cast

import reflex as rx

from agent_console.ui.components.basics import callout, identifier, pick
from agent_console.ui.components.change_models import ChangeView, ImageView


def image_change(item: rx.Var[ChangeView]) -> rx.Component:
    """Show the images of ``item`` beside each other, or below where there is no room."""
    return rx.el.div(
        rx.foreach(item.images, lambda one: _image(cast("rx.Var[ImageView]", one))),
        class_name="image-pair",
    )


def _image(image: rx.Var[ImageView]) -> rx.Component:
    shown = rx.fragment(
        rx.el.div(
            rx.el.img(src=image.src, alt=image.alt, decoding="async", class_name="image-shown"),
            class_name="image-ground",
        ),
        rx.el.p(image.facts, class_name="ac-meta"),
        rx.el.p("SHA-256 ", identifier(image.digest), class_name="ac-meta image-digest"),
    )
    return rx.el.figure(
        rx.el.figcaption(pick(image.side, ("before", rx.el.span("Before")), rx.el.span("After"))),
        rx.cond(image.problem != "", callout("red", "image_off", image.problem), shown),
        key=image.side,
        class_name="image-side",
        custom_attrs={"data-side": image.side},
    )
