"""Arrow IPC streams into a sink, and out of bytes that were verified already."""

from collections.abc import Iterable

import pyarrow as pa

from esg_assets.adapters.sink_files import SinkFile
from esg_assets.core.ports import Sink

_ZSTD = pa.ipc.IpcWriteOptions(compression="zstd")


def write_stream(sink: Sink, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Write `batches` as one IPC stream, compressed, batch by batch."""
    with SinkFile(sink) as file, pa.ipc.new_stream(file, schema, options=_ZSTD) as stream:
        for batch in batches:
            stream.write_batch(batch)


def read_stream(data: bytes, columns: Iterable[str] | None = None) -> pa.Table:
    """All batches of a stream as a table, with the schema's metadata; only `columns`, in that order."""
    with pa.ipc.open_stream(pa.py_buffer(data)) as stream:
        table = stream.read_all()
    return table if columns is None else table.select(list(columns))
