"""A sink of ours as the file object that other libraries write to."""

import io

from esg_assets.core.ports import Sink


class SinkFile(io.RawIOBase):
    """Passes on what is written; closing it does not close the sink."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: "bytes | memoryview") -> int:  # type: ignore[override]  # the base says Buffer
        """Pass `data` on; its length."""
        return self._sink.write(bytes(data))
