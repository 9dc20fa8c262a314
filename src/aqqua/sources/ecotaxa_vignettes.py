"""UVP6 samples in EcoTaxa packages: zips of images in the package, and which images are originals.

EcoTaxa computes a vignette of every UVP6 image – gamma, often inverted, a scale bar in a footer – by the recipe in
`compute_vignette.txt`, shows that one (rank below 100), and keeps the original under rank 100. Packages made to be
imported hold originals only, with the recipe beside the table. Source: EcoTaxa back-end 3.2, Bundle.py and Vignette.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from posixpath import dirname

import polars as pl

from aqqua.errors import FormatError, SourceError
from aqqua.metadata.check import Finding
from aqqua.sources.archive import Tree
from aqqua.sources.nested import InnerTree
from aqqua.sources.part import Part, Rows
from aqqua.sources.pixels import Picture
from aqqua.sources.tables import decode_text

__all__ = ["ORIGINAL", "PROCESSED", "VARIANT", "DamagedBundle", "bundle_names", "mark_variants", "open_bundle"]

VARIANT = "image_variant"
"""Column that says what an image is: `ORIGINAL`, or `PROCESSED` (a vignette that EcoTaxa has computed of it)."""
ORIGINAL, PROCESSED = "original", "processed"
_FIRST_ORIGINAL = 100
_RECIPE = "compute_vignette.txt"
_KEYS = frozenset(
    {"gamma", "invert", "scalebarsize_mm", "keeporiginal", "fontcolor", "fontheight_px", "footerheight_px", "scale"}
    | {"pixel_size"}
)
_MAX_RECIPE_BYTES = 1 << 16


def bundle_names(tree: Tree) -> list[str]:
    """Members that are UVP6 samples: zips whose name ends with Images.zip."""
    return [name for name in tree.with_suffix(".zip") if name.lower().endswith("images.zip")]


def open_bundle(tree: Tree, name: str) -> InnerTree | SourceError | FormatError:
    """The files of a sample, or the error that says why they cannot be read."""
    try:
        inner = InnerTree(tree, name)
        inner.members  # noqa: B018 (read here, so that a damaged zip is told here)
    except (SourceError, FormatError) as error:
        return error
    return inner


@dataclass(frozen=True)
class DamagedBundle(Part):
    """A sample whose zip cannot be read: its table is one reject with the reason.

    Args:
        reason: what is wrong.
        do: what helps.
    """

    reason: str = ""
    do: str = ""

    def estimate(self) -> int:
        """Nobody knows."""
        return 1

    def read(self, start: int = 0, stop: int | None = None) -> Rows:
        """Say what is wrong.

        Raises:
            SourceError: always.
        """
        raise SourceError(self.reason, where=self.tree.where(self.name), do=self.do)

    def picture(self, row: Mapping[str, object]) -> Picture:
        """Say what is wrong.

        Raises:
            SourceError: always.
        """
        raise SourceError(self.reason, where=self.tree.where(self.name), do=self.do)


def mark_variants(frame: pl.DataFrame, tree: Tree, table: str) -> tuple[pl.DataFrame, list[Finding]]:
    """Say which images are originals and which are vignettes with a burnt-in scale bar.

    Args:
        frame: the rows of a table, as the reader gives them.
        tree: where the table is.
        table: its name.

    Returns:
        The rows, with `VARIANT` where there is something to say and the recipe as `vignette_…`; and findings.
    """
    recipe = _recipe(tree, table)
    where = tree.where(table)
    if recipe:
        columns = {VARIANT: ORIGINAL, **{f"vignette_{key}": value for key, value in recipe.items()}}
        marked = frame.with_columns(pl.lit(value, pl.String).alias(name) for name, value in columns.items())
        return marked, [Finding("info", "original_images", _told(recipe), where, frame.height)]
    ranks = _ranks(frame)
    if not any(rank is not None and rank >= _FIRST_ORIGINAL for rank in ranks):
        return frame, []
    kind, copies = _by_rank(frame["object_id"].to_list(), ranks)
    told = f"images are vignettes that EcoTaxa has computed (scale bar, gamma, inverted): see column {VARIANT}"
    do = "the originals, of rank 100 and more, are in the dataset too; train on those"
    findings = [Finding("info", "processed_copies", told, where, copies, do)] if copies else []
    return frame.with_columns(pl.Series(VARIANT, kind, pl.String)), findings


def _by_rank(objects: Sequence[str | None], ranks: Sequence[float | None]) -> tuple[list[str | None], int]:
    """What each image is: below rank 100 a copy, if the same object has an original."""
    pairs = list(zip(objects, ranks, strict=True))
    have = {name for name, rank in pairs if rank is not None and rank >= _FIRST_ORIGINAL}
    kind = [
        ORIGINAL if rank is not None and rank >= _FIRST_ORIGINAL else PROCESSED if name in have else None
        for name, rank in pairs
    ]
    return kind, kind.count(PROCESSED)


def _ranks(frame: pl.DataFrame) -> list[float | None]:
    if "img_rank" not in frame.columns:
        return [None] * frame.height
    plain = frame["img_rank"].str.strip_chars().str.replace(",", ".", literal=True)
    return plain.cast(pl.Float64, strict=False).to_list()


def _recipe(tree: Tree, table: str) -> dict[str, str]:
    """The recipe beside a table: "key=value" lines; comments begin with ; or #."""
    found = tree.find(f"{dirname(table)}/{_RECIPE}".strip("/"))
    if found is None:
        return {}
    text = decode_text(tree.read(found, _MAX_RECIPE_BYTES))
    told = (line.partition("=") for line in text.splitlines() if not line.lstrip().startswith((";", "#")))
    return {
        key.strip().lower(): value.strip() for key, equals, value in told if equals and key.strip().lower() in _KEYS
    }


def _told(recipe: Mapping[str, str]) -> str:
    change = [f"gamma {recipe['gamma']}"] if recipe.get("gamma") else []
    change += ["inverted"] if recipe.get("invert", "").upper() == "Y" else []
    change += [f"× {recipe['scale']}"] if recipe.get("scale") else []
    change += [f"a footer of {recipe['footerheight_px']} px with scale bar"] if recipe.get("footerheight_px") else []
    return f"images are originals; EcoTaxa shows computed vignettes of them ({', '.join(change) or 'as configured'})"
