"""Write the pages that come from code: the verbs, the fields, the instruments, the sources and exports."""

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
