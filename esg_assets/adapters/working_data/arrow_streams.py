"""Arrow IPC streams into a sink, and out of bytes that were verified already."""

import io
from collections.abc import Iterable

import pyarrow as pa

from esg_assets.core.ports import Sink

_ZSTD = pa.ipc.IpcWriteOptions(compression="zstd")


class _Writable(io.RawIOBase):
    """A sink as the file object that Arrow wants."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def writable(self) -> bool:
        return True

    def write(self, data: "bytes | memoryview") -> int:  # type: ignore[override]  # the base says Buffer
        return self._sink.write(bytes(data))


def write_stream(sink: Sink, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Write `batches` as one IPC stream, compressed, batch by batch."""
    with _Writable(sink) as file, pa.ipc.new_stream(file, schema, options=_ZSTD) as stream:
        for batch in batches:
            stream.write_batch(batch)


def read_stream(data: bytes, columns: Iterable[str] | None = None) -> pa.Table:
    """All batches of a stream as a table, with the schema's metadata; only `columns`, in that order."""
    with pa.ipc.open_stream(pa.py_buffer(data)) as stream:
        table = stream.read_all()
    return table if columns is None else table.select(list(columns))
