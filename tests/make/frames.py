"""Miniature frames with annotations of every kind, of the same objects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.make.images import as_file
from tests.make.packing import pack

CARD = """\
title: Plates of a microscope
licence: CC-BY-4.0
defaults:
  instrument: light microscope
  pixel_um: 0.5
  time_utc: 2023-06-01T12:00:00Z
  latitude: 45.1
  longitude: 13.3
  depth_m: 1
"""
WIDTH, HEIGHT = 60, 40
CLASSES = ("Calanus", "Oithona")


@dataclass(frozen=True)
class Thing:
    """An object: a frame, a class, and its corners in pixels."""

    frame: str
    label: str
    corners: tuple[tuple[float, float], ...]


THINGS = (
    Thing("f1.png", "Calanus", ((10, 5), (20, 5), (20, 15), (10, 15))),
    Thing("f1.png", "Oithona", ((30.5, 20.5), (45.5, 22.5), (38.0, 34.0))),
    Thing("f2.png", "Calanus", ((2, 2), (12, 4), (8, 12), (1, 9))),
)


def frames(names: Sequence[str] = ("f1.png", "f2.png"), *, seed: int = 0, channels: int = 1) -> dict[str, np.ndarray]:
    """Noise, so that every ROI is known by its pixels."""
    rng = np.random.default_rng(seed)
    shape = (HEIGHT, WIDTH) if channels == 1 else (HEIGHT, WIDTH, channels)
    return {name: rng.integers(0, 256, shape, np.uint8) for name in names}


def files_of(pictures: Mapping[str, np.ndarray], folder: str = "") -> dict[str, bytes]:
    """The frames as PNG files."""
    return {f"{folder}{name}": as_file(pixels) for name, pixels in pictures.items()}


def coco(things: Sequence[Thing] = THINGS, **more: object) -> dict[str, object]:
    """The annotations as COCO JSON."""
    names = list(dict.fromkeys(thing.frame for thing in things))
    images = [{"id": n, "file_name": name, "width": WIDTH, "height": HEIGHT} for n, name in enumerate(names, 1)]
    categories = [{"id": n, "name": name} for n, name in enumerate(CLASSES, 1)]
    annotations = [
        {
            "id": n,
            "image_id": names.index(thing.frame) + 1,
            "category_id": CLASSES.index(thing.label) + 1,
            "segmentation": [[value for corner in thing.corners for value in corner]],
            "bbox": [0, 0, 1, 1],
            "area": 12.5,
            "iscrowd": 0,
            "attributes": {"occluded": False},
        }
        for n, thing in enumerate(things, 1)
    ]
    return {"images": images, "categories": categories, "annotations": annotations, **more}


def yolo(things: Sequence[Thing] = THINGS) -> dict[str, bytes]:
    """The annotations as YOLO text files."""
    files: dict[str, bytes] = {}
    for thing in things:
        numbers = " ".join(f"{x / WIDTH!r} {y / HEIGHT!r}" for x, y in thing.corners)
        line = f"{CLASSES.index(thing.label)} {numbers}\n".encode()
        name = f"labels/{thing.frame[:-4]}.txt"
        files[name] = files.get(name, b"") + line
    return files | {"data.yaml": f"path: .\nnames: [{', '.join(CLASSES)}]\n".encode()}


def squidle(things: Sequence[Thing] = THINGS) -> bytes:
    """The annotations as a table of Squidle+."""
    lines = ["id,label.name,point.x,point.y,point.data.polygon,point.media.key,point.pose.lat,point.pose.lon,"
             "point.pose.dep,point.pose.timestamp"]  # fmt: skip
    for number, thing in enumerate(things, 1):
        x, y = thing.corners[0]
        offsets = [[(cx - x) / WIDTH, (cy - y) / HEIGHT] for cx, cy in thing.corners]
        lines.append(f'{number},{thing.label},{x / WIDTH!r},{y / HEIGHT!r},"{json.dumps(offsets)}",{thing.frame[:-4]},'
                     "-33.5,151.2,12,2021-02-03T04:05:06")  # fmt: skip
    return "\n".join(lines).encode()


def biigle(things: Sequence[Thing] = THINGS) -> bytes:
    """The annotations as a report of BIIGLE."""
    lines = ["annotation_label_id,label_id,label_name,label_hierarchy,image_id,filename,image_longitude,image_latitude,"
             "shape_id,shape_name,points,attributes,annotation_id"]  # fmt: skip
    for number, thing in enumerate(things, 1):
        points = json.dumps([value for corner in thing.corners for value in corner])
        lines.append(f'{number},7,{thing.label},Biota > {thing.label},1,{thing.frame},151.2,-33.5,'
                     f'3,Polygon,"{points}",,{100 + number}')  # fmt: skip
    return "\n".join(lines).encode()


def label_images(things: Sequence[Thing] = THINGS) -> dict[str, np.ndarray]:
    """The annotations as label images, drawn pixel by pixel."""
    found: dict[str, np.ndarray] = {}
    for thing in things:
        image = found.setdefault(thing.frame, np.zeros((HEIGHT, WIDTH), np.uint8))
        image[covered(thing.corners)] = image.max() + 1
    return found


def covered(corners: Sequence[tuple[float, float]], height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Which pixels have their centre in a polygon: the slow and plain way, one pixel at a time."""
    found = np.zeros((height, width), bool)
    for row in range(height):
        for column in range(width):
            x, y, inside = column + 0.5, row + 0.5, False
            for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
                if (y1 > y) != (y2 > y) and x >= x1 + (y - y1) * ((x2 - x1) / (y2 - y1)):
                    inside = not inside
            found[row, column] = inside
    return found


def write_coco(path: Path, things: Sequence[Thing] = THINGS, **more: object) -> dict[str, np.ndarray]:
    """Frames with COCO annotations and a card; returns the frames."""
    pictures = frames()
    told = json.dumps(coco(things, **more)).encode()
    pack(path, files_of(pictures, "images/") | {"annotations/instances.json": told, "card.yaml": CARD.encode()})
    return pictures
