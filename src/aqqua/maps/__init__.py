"""From images to the globe: abundance, spectra, flux, grids and maps with honest uncertainty."""
