"""Rows of Arrow's forms, in pieces: of what is not wanted as little is read as its form allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Parquet:
    """A Parquet file; of its groups of rows only those are read that hold a wanted row."""

    path: Path
    columns: list[str]
    size: int
    metadata: pa.FileMetaData

    @property
    def rows(self) -> int:
        """The number of rows that the metadata declares."""
        return int(self.metadata.num_rows)

    def text_bytes(self, columns: Sequence[str]) -> int:
        """Bytes of these columns, unpacked, as it says."""
        groups = [self.metadata.row_group(index) for index in range(self.metadata.num_row_groups)]
        chunks = [group.column(index) for group in groups for index in range(group.num_columns)]
        return sum(max(0, c.total_uncompressed_size) for c in chunks if c.path_in_schema.partition(".")[0] in columns)

    def pieces(self, wanted: Callable[[int, int], bool]) -> Iterator[tuple[int, Any]]:
        """The number of the first row of a piece, and the piece, of those where `wanted` is true of a span of rows."""
        import pyarrow.parquet

        # Without the map, Arrow keeps all that it has read of a group of rows, which may be the whole file.
        with pyarrow.parquet.ParquetFile(self.path, memory_map=True) as opened:
            first = 0
            for group in range(self.metadata.num_row_groups):
                end = first + self.metadata.row_group(group).num_rows
                if wanted(first, end):
                    for batch in opened.iter_batches(self.size, [group], self.columns, use_threads=False):
                        yield first, batch.select(self.columns)
                        first += batch.num_rows
                first = end


@dataclass(frozen=True)
class Saved:
    """A folder that `save_to_disk` wrote, mapped into memory."""

    path: Path
    columns: list[str]
    size: int
    found: Any

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.found)

    def text_bytes(self, columns: Sequence[str]) -> int:
        """Bytes of these columns."""
        table = self.found.data
        return sum(table.column(name).nbytes for name in columns if name in table.column_names)

    def pieces(self, wanted: Callable[[int, int], bool]) -> Iterator[tuple[int, Any]]:
        """The pieces with their first rows, as `Parquet.pieces` gives them."""
        for first in range(0, self.rows, self.size):
            if wanted(first, first + self.size):
                yield first, self.found[first : first + self.size].select(self.columns)


Table = Parquet | Saved
