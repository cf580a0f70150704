import array

from fernlab_service import Event, ServiceError


class Smoothing:
    """Smooths what was measured."""

    version = "1.0"
    smoothed = Event(int, title="How many values a smoothing had")

    def __init__(self, width: int = 3):
        # From node.yaml; no client ever sees it.
        self._width = width

    def smooth(self, values: array.array) -> array.array:
        """The mean of each value with its neighbours."""
        width = self._width
        if len(values) < width:
            raise ServiceError("too-few-values", f"{len(values)} values are too few for means of {width}")
        means = [sum(values[i : i + width]) / width for i in range(len(values) - width + 1)]
        self.smoothed.emit(len(values))
        return array.array("d", means)

    @property
    def width(self) -> int:
        """How many values go into a mean."""
        return self._width

    @width.setter
    def width(self, width: int) -> None:
        if not 1 <= width <= 1001:
            raise ServiceError("width-out-of-limits", f"a width of {width} is not within 1 and 1001")
        self._width = width
