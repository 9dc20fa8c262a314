"""Images through the web are the images of the dataset."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from aqqua.app.view import View
from aqqua.store.dataset import Dataset
from tests.app.client import Client

STORE = "/api/v1/sample-cruise"


def read(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def first_of(view: View, instrument: str) -> int:
    """The row of the first image of an instrument."""
    return int(np.flatnonzero(view.table.frame["instrument"] == instrument)[0])


@pytest.mark.parametrize("instrument", ["ZooScan", "PlanktoScope", "ISIIS"])
def test_raw_images_are_exact_for_grey_colour_and_16_bit(
    client: Client, sample: Dataset, view: View, instrument: str
) -> None:
    uid = int(view.table.uid[first_of(view, instrument)])
    pixels = sample.image(uid)
    answer = client.get(f"{STORE}/image/{uid}.png?raw=1")
    assert answer.headers["content-type"] == "image/png"
    back = read(answer.content)
    assert back.dtype == pixels.dtype
    assert (back == pixels).all()
    shown = read(client.get(f"{STORE}/image/{uid}.png").content)
    assert shown.dtype == np.uint8
    assert shown.shape == pixels.shape


def test_channels_are_seen_together_or_one_by_one(client: Client, sample: Dataset, view: View) -> None:
    uid = int(view.table.uid[first_of(view, "Cytosense")])
    pixels = sample.image(uid)
    assert read(client.get(f"{STORE}/image/{uid}.png").content).shape == (*pixels.shape[:2], 3)
    one = client.get(f"{STORE}/image/{uid}.png?channel=chlorophyll&raw=1")
    assert (read(one.content) == pixels[:, :, 1]).all()
    wrong = client.get(f"{STORE}/image/{uid}.png?channel=chlorofyll")
    assert wrong.status_code == 422
    assert "did you mean chlorophyll?" in wrong.json()["do"]
    assert (read(client.get(f"{STORE}/image/{uid}.png?raw=1").content) == pixels).all()


def test_thumbs_are_small_and_kept_by_the_browser(client: Client, view: View) -> None:
    first = client.get(f"{STORE}/thumb/5.jpg?v={view.version}")
    assert max(read(first.content).shape[:2]) <= 96
    assert "immutable" in first.headers["cache-control"]
    assert "private" in first.headers["cache-control"]
    etag = first.headers["etag"]
    again = client.get(f"{STORE}/thumb/5.jpg", headers={"if-none-match": f'"other", W/{etag}'})
    assert again.status_code == 304
    assert not again.content
    assert again.headers["etag"] == etag


@pytest.mark.parametrize("path", ["thumb/5.jpg", "thumb/5.jpg?v=old", "sprite?ids=1,2", "sprite?ids=1,2&v=x"])
def test_without_the_version_the_browser_must_ask_again(client: Client, path: str) -> None:
    assert client.get(f"{STORE}/{path}").headers["cache-control"] == "no-cache"


def test_a_sheet_holds_the_thumbs_asked_for(client: Client, view: View) -> None:
    ids = ",".join(str(row) for row in range(20, 84))
    answer = client.get(f"{STORE}/sprite", params={"ids": ids, "v": view.version})
    sheet = read(answer.content)
    assert sheet.shape[:2] == (768, 768)
    assert "immutable" in answer.headers["cache-control"]
    thumb = read(client.get(f"{STORE}/thumb/29.jpg").content).astype(float)
    height, width = thumb.shape[:2]
    top, left = 96 + (96 - height) // 2, 96 + (96 - width) // 2
    cell = sheet[top : top + height, left : left + width].astype(float)
    if thumb.ndim == 2:
        cell = cell.mean(axis=2)
    assert np.abs(cell - thumb).mean() < 12
    other = client.get(f"{STORE}/sprite", params={"ids": "21"})
    assert other.headers["etag"] != answer.headers["etag"]
    assert read(other.content).shape[:2] == (96, 768)


@pytest.mark.parametrize(
    "path",
    ["thumb/300.jpg", "thumb/-1.jpg", "thumb/x.jpg", "thumb/99999999999999999999999.jpg",
     "sprite", "sprite?ids=", "sprite?ids=1,,2",
     "sprite?ids=300", "sprite?ids=-1", "sprite?ids=" + ",".join(["1"] * 65), "sprite?ids=1;2", "sprite?ids=٣"],
)  # fmt: skip
def test_wrong_rows_are_refused(client: Client, path: str) -> None:
    answer = client.get(f"{STORE}/{path}")
    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "do"}
