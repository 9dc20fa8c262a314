"""Metadata of an image: fields, units, mappings of instruments, harmonisation, cards, taxa, first checks."""
