"""Curation: duplicates, quality, copies of one image, splits: always columns and findings, never silent deletion."""
