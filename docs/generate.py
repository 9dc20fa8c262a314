"""Write the pages that come from code: the verbs, the fields, the instruments, sources and exports, carbon."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_all"]


def write_all(folder: Path) -> None:
    """Write every generated page into `folder`, touching only what changed (so that builds stay quick)."""
    folder.mkdir(exist_ok=True)
    pages = {
        "verbs.md": verbs(),
        "fields.md": fields(),
        "instruments.md": instruments(),
        "plugins.md": plugins(),
        "carbon.md": carbon(),
    }
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def verbs() -> str:
    """Every verb with its options, from the command line itself."""
    from aqqua.cli import app

    text: str = app.generate_docs(output_format="markdown", heading_level=1)
    return text.replace("# aqqua\n", "# Verbs\n", 1)


def fields() -> str:
    """The Converted Metadata, field by field, from fields.yaml."""
    from aqqua.metadata.fields import reference

    return "# Fields of Converted Metadata\n\n" + reference()


def instruments() -> str:
    """What each instrument's mapping knows, from the mapping files."""
    from aqqua.metadata.instruments import reference

    return "# Instruments\n\nGenerated from `src/aqqua/sources/mappings/`.\n\n" + reference()


def plugins() -> str:
    """The registered sources and exports."""
    from aqqua.export import EXPORTS
    from aqqua.sources import SOURCES

    lines = ["# Sources and exports", ""]
    for title, table in (("Sources", SOURCES), ("Exports", EXPORTS)):
        lines += [f"## {title}", "", "| name | implementation |", "|---|---|"]
        lines += [f"| `{name}` | `{target}` |" for name, target in sorted(table.items())] + [""]
    return "\n".join(lines)


def carbon() -> str:
    """Carbon from size, row by row, from carbon.csv; and the published relations between size and flux."""
    from aqqua.maps.carbon import reference as rows
    from aqqua.maps.flux.model import reference as presets

    lines = [
        "# Carbon and flux from size",
        "",
        "Generated from `src/aqqua/maps/carbon.csv`. A taxon gets the row of its nearest ancestor; alternatives are",
        "asked for by the name of the row. *Interval*: 95 % of single organisms lie, it is taken, within value ÷ and ×",
        "this factor; *assumed* where the source gives none. *Unchecked* ones were read in a later table or program,",
        "not in the paper they come from.",
        "",
        rows(),
        "",
        "## Relations between size and flux",
        "",
        "Flux in mg C m⁻² d⁻¹ is Σ n A dᵇ with n in particles per litre and d in millimetres; generated from the",
        "presets of `aqqua map flux`.",
        "",
        presets(),
    ]
    return "\n".join(lines)
