"""The fields of Converted Metadata, read from `fields.yaml`: the one place where a column is defined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import yaml

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FIELDS", "REQUIRED", "Field", "arrow_schema", "polars_schema", "reference"]

Limit = float | datetime | Literal["now"] | None


@dataclass(frozen=True)
class Field:
    """One column of Converted Metadata; `fields.yaml` explains each entry."""

    name: str
    dtype: str
    doc: str
    unit: str | None = None
    required: bool = False
    by: Literal["store", "harmonise"] = "harmonise"
    minimum: Limit = None
    maximum: Limit = None
    sentinels: tuple[float, ...] = ()
    synonyms: tuple[str, ...] = ()
    unit_synonyms: tuple[str, ...] = ()
    bare: str | None = None
    title: str = ""
    ask: str = ""
    form: str = ""
    values: tuple[str, ...] = ()
    darwincore: str | None = None
    ifdo: str | None = None

    @property
    def polars(self) -> pl.DataType:
        """The Polars type of the column."""
        return _polars_types()[self.dtype]

    @property
    def numeric(self) -> bool:
        """Whether the column holds measured numbers."""
        return self.dtype in {"f32", "f64"}

    def limits(self) -> tuple[Any, Any]:
        """Smallest and largest possible value as of now, with a day's grace for clocks; None: no limit."""
        now = datetime.now(UTC) + timedelta(days=1)
        low, high = (now if limit == "now" else limit for limit in (self.minimum, self.maximum))
        return low, high


@cache
def _polars_types() -> Mapping[str, pl.DataType]:
    import polars as pl

    types: dict[str, Any] = {
        "str": pl.String(),
        "u8": pl.UInt8(),
        "u32": pl.UInt32(),
        "u64": pl.UInt64(),
        "i32": pl.Int32(),
        "i64": pl.Int64(),
        "f32": pl.Float32(),
        "f64": pl.Float64(),
        "datetime": pl.Datetime("ms", "UTC"),
    }
    return types


def _read() -> Mapping[str, Field]:
    text = (files("aqqua.metadata") / "fields.yaml").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(text)
    fields: dict[str, Field] = {}
    for name, entry in loaded.items():
        lists: dict[str, Any] = {
            key: tuple(entry[key]) for key in ("sentinels", "synonyms", "unit_synonyms", "values") if key in entry
        }
        fields[name] = Field(name=name, **({"title": name.replace("_", " ")} | entry | lists))
    return MappingProxyType(fields)


FIELDS: Mapping[str, Field] = _read()
REQUIRED: tuple[str, ...] = tuple(name for name, field in FIELDS.items() if field.required)


def polars_schema() -> dict[str, pl.DataType]:
    """Every column of Converted Metadata and its Polars type, in order."""
    return {name: field.polars for name, field in FIELDS.items()}


def arrow_schema() -> Any:
    """The same columns as a `pyarrow.Schema`, each with its unit and description."""
    import pyarrow as pa

    types = {
        "str": pa.string(),
        "u8": pa.uint8(),
        "u32": pa.uint32(),
        "u64": pa.uint64(),
        "i32": pa.int32(),
        "i64": pa.int64(),
        "f32": pa.float32(),
        "f64": pa.float64(),
        "datetime": pa.timestamp("ms", tz="UTC"),
    }
    return pa.schema(
        pa.field(field.name, types[field.dtype], metadata={"unit": field.unit or "", "doc": field.doc})
        for field in FIELDS.values()
    )


def reference() -> str:
    """The table of all fields in Markdown, for the documentation."""
    lines = [
        "| field | type | unit | required | possible values | what it is | Darwin Core | iFDO |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for field in FIELDS.values():
        cells = [
            f"`{field.name}`",
            "datetime (ms, UTC)" if field.dtype == "datetime" else field.dtype,
            field.unit or "",
            "yes" if field.required else "",
            _possible(field),
            field.doc,
            field.darwincore or "",
            field.ifdo or "",
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _possible(field: Field) -> str:
    if field.values:
        return ", ".join(field.values)
    low, high = (
        f"{limit:%Y-%m-%d}" if isinstance(limit, datetime) else "" if limit is None else f"{limit}"
        for limit in (field.minimum, field.maximum)
    )
    if low and high:
        return f"{low} … {high}"
    return f"≥ {low}" if low else f"≤ {high}" if high else ""
