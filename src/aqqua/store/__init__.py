"""Datasets on disk: images in LMDB, metadata in Parquet, and the small manifest that makes them one."""
