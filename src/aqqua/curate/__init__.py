"""Curation: duplicates, quality of images, copies of one image, and splits; always columns and findings, never silent deletion."""
