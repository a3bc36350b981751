"""The live view of a panel: its widgets, and what happens when a reader touches them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import ipywidgets

from igviz.panels.engine import boxes, controls, encode
from igviz.panels.engine.frames import DOTS_PER_INCH
from igviz.panels.engine.interrupts import held
from igviz.panels.engine.picture import Picture
from igviz.panels.engine.work import WorkRow, one_line
from igviz.plots.settings import LOCK

if TYPE_CHECKING:
    from igviz.panels.engine.panel import Panel


class View:
    """The widgets of one panel.

    Slider messages may arrive in another thread, idle or not, so whatever changes or draws holds the
    lock. ipywidgets joins fast moves into one message; nothing is queued here.
    """

    def __init__(self, panel: Panel, *, projector: bool = False) -> None:
        definition = panel.definition
        self._panel = panel
        self._holding = False
        self.controls = controls.Controls(definition.sliders, panel._positions, self._moved)
        self.picture = Picture(
            self._rest,
            width=definition.layout.width,
            height=definition.layout.height,
            projector=projector,
        )
        self.work = (
            WorkRow(definition.work, lambda: panel.values, panel._work_shows, self.problem)
            if definition.work
            else None
        )
        above = []
        if definition.predict is not None:
            above += controls.question(definition.predict, panel.answer, lambda _: panel.show_answer())
        row = controls.buttons(list(definition.scenes), panel.scene, tooltip="Move the sliders to this scene")
        row += controls.buttons(["Reset"], lambda _: panel.reset(), tooltip="Back to the start")
        if definition.play is not None:
            row.append(self.controls.add_play(definition.play, panel._positions[definition.play]))
        self.picture.control_ids = self.controls.model_ids
        above.append(controls.row(row))
        if self.work is not None:
            above.append(self.work.widget)
        side = ipywidgets.VBox([*above, self.controls.grid])
        side.add_class("igviz-controls")
        self.box = boxes.Box(panel, side, self.picture)
        boxes.register()
        _answer_in_the_pages_thread(self.box)
        self.failure: Exception | None = None
        self.draw(moving=False)
        if self.failure is not None:  # a panel that cannot draw its start is an error of its cell
            self.close()
            raise self.failure
        self.picture.observe(self._page_changed, ["density", "projector"])
        self.picture.observe(self._dragged, "pointer")

    # -- from the panel ------------------------------------------------------------------------------

    def put(self, positions: tuple[int, ...]) -> None:
        """Show grid positions in the controls without drawing."""
        held, self._holding = self._holding, True
        try:
            self.controls.put(positions)
        finally:
            self._holding = held

    def draw(self, *, moving: bool = True) -> None:
        """Draw the present state and send it; on an error send one line and keep the last good picture."""
        panel, picture = self._panel, self.picture
        width, height = panel.definition.layout.dots(picture.enlarged)
        try:
            with panel.drawn(
                moving=moving,
                dpi=DOTS_PER_INCH * picture.enlarged * picture.dots,
                size=(round(width * picture.dots), round(height * picture.dots)),
            ):
                pixels = panel._figure().pixels()
                area, handle = self._drag_area()
        except Exception as error:
            self.failure = error
            picture.show(problem=one_line(error))
            return
        frame = encode.jpeg(pixels) if moving else encode.png(pixels)
        with held():
            picture.show(
                frame=frame,
                mime="image/jpeg" if moving else "image/png",
                serial=picture.serial + 1 if moving or not picture.serial else picture.serial,
                sentence=panel.sentence,
                quote=panel._quote,
                line=panel.line,
                problem="",
                width=width,
                height=height,
                area=area,
                handle=handle,
            )
            self._last = pixels

    def problem(self, text: str) -> None:
        """Show one line of trouble under the picture."""
        self.picture.show(problem=text)

    def settled(self) -> None:
        """Tell the page that its change needs no new picture."""
        self.picture.settled()

    def stop(self) -> None:
        """Stop Play."""
        self.controls.stop()

    def close(self) -> None:
        """Close every widget of the panel."""
        if self.work is not None:
            self.work.close()
        for widget in list(controls.every_widget(self.box)):
            widget.close()

    # -- from the page -------------------------------------------------------------------------------

    def _moved(self, number: int, position: int) -> None:
        # The other sliders stand where the panel says: their widgets may be on their way in another thread.
        with LOCK:
            if not self._holding and self._panel._view is self:
                positions = list(self._panel._positions)
                positions[number] = position
                self._panel._go(positions)

    def _rest(self, serial: int) -> None:
        with LOCK:
            if serial != self.picture.serial or self._panel._view is not self:
                return
            if "moving" in self._panel.definition.special:
                self.draw(moving=False)  # drawn coarsely on the way, finely at rest
            else:
                self.picture.show(frame=encode.png(self._last), mime="image/png")

    def _page_changed(self, _change: Any) -> None:
        with LOCK:
            if self._panel._view is self:
                self.draw()

    def _dragged(self, change: Any) -> None:
        drag = self._panel.definition.drag
        with LOCK:
            if drag is None or len(change["new"]) != 3 or self._panel._view is not self:
                return
            across, down, _count = change["new"]
            where = self._panel._figure().data_at(drag[2], across, down)
            positions = list(self._panel._positions)
            for number, value in zip(drag[:2], where, strict=True):
                if math.isfinite(value):
                    positions[number] = self._panel.definition.sliders[number].nearest(value)
            self._panel._go(positions)

    def _drag_area(self) -> tuple[list[float], list[float]]:
        drag = self._panel.definition.drag
        if drag is None:
            return [], []
        frames, values = self._panel._figure(), list(self._panel.values.values())
        return (
            list(frames.box(drag[2])),
            list(frames.pixel_of(drag[2], float(values[drag[0]]), float(values[drag[1]]))),
        )


def _answer_in_the_pages_thread(box: boxes.Box) -> None:
    """Let messages from the page be handled in the subshell the page sent them to.

    From 7.4 on ipykernel sends them to the thread that spoke last on the same comm instead: to the main one
    after a cell has made the panel, where a sleeping cell would block them.
    """
    for widget in controls.every_widget(box):
        if widget.comm is not None:
            widget.comm._reply_subshell_for = None
