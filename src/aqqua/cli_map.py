"""`aqqua map …`: from images to abundance, spectra, flux, grids and maps."""

from __future__ import annotations

from cyclopts import App

__all__ = ["app"]

app = App(name="map", help="From images to the globe: abundance, spectra, flux, grids, maps with honest uncertainty.")

# Imported when they are used.
app.command("aqqua.cli_map_flux:app", name="flux", help="Carbon flux from size spectra.", sort_key=8)
app.command(
    "aqqua.cli_map_interpolate:app",
    name="interpolate",
    help="From scattered samples to a map: fit, cv, predict, report.",
    sort_key=9,
)
