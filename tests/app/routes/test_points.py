"""The binary frame of points: its bytes, its contents, its limits."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from aqqua.app.columns import Codes
from aqqua.app.prepare import quantise
from aqqua.app.routes.points import encode_frame
from aqqua.app.strata import Sample
from aqqua.app.view import View
from tests.app.client import Client
from tests.app.conftest import Browse

STORE = "/api/v1/sample-cruise"


def decode(data: bytes) -> dict[str, np.ndarray]:
    """As the front end reads it."""
    magic, n, total, kind, low, high, zero = struct.unpack("<4sIIIffQ", data[:32])
    assert (magic, zero) == (b"AQP1", 0)
    assert len(data) == 32 + 9 * n
    return {
        "row": np.frombuffer(data, "<u4", n, 32),
        "x": np.frombuffer(data, "<u2", n, 32 + 4 * n),
        "y": np.frombuffer(data, "<u2", n, 32 + 6 * n),
        "code": np.frombuffer(data, "u1", n, 32 + 8 * n),
        "header": np.array([n, total, kind, low, high]),
    }


def test_the_frame_is_this_byte_for_byte() -> None:
    rows, x, y = np.array([2, 0], np.uint32), np.array([1, 65535], np.uint16), np.array([258, 3], np.uint16)
    codes = Codes(1, 0.5, 2.0, np.array([7, 8, 255], np.uint8))
    header = "41515031 02000000 05000000 01000000 0000003f 00000040 0000000000000000"
    columns = "02000000 00000000  0100 ffff  0201 0300  ff 07"
    assert encode_frame(Sample(rows, x, y, 5), codes) == bytes.fromhex(header + columns)


def test_all_points_come_once_with_their_place_and_colour(client: Client, view: View) -> None:
    frame = decode(client.get(f"{STORE}/points", params={"color": "label"}).content)
    assert frame["header"].tolist() == [300, 300, 0, 0, 0]
    assert sorted(frame["row"].tolist()) == list(range(300))
    x, y = quantise(view.prepared.positions, view.extent)
    assert (frame["x"] == x[frame["row"]]).all()
    assert (frame["y"] == y[frame["row"]]).all()
    listed = [None, *(value for value, _ in view.table.columns["label"].values)]
    assert [listed[code] for code in frame["code"]] == view.table.frame["label"][frame["row"]].to_list()
    assert frame["row"].tolist() != sorted(frame["row"].tolist()), "random order, so that no group is drawn on top"


def test_a_number_is_scaled_between_the_limits_in_the_header(client: Client, view: View) -> None:
    frame = decode(client.get(f"{STORE}/points", params={"color": "depth_min_m"}).content)
    _, _, kind, low, high = frame["header"]
    depth = view.table.frame["depth_min_m"].to_numpy()[frame["row"]]
    assert kind == 1
    assert np.allclose(frame["code"], 1 + np.clip((depth - low) / (high - low), 0, 1) * 254, atol=0.51)


def test_a_view_holds_the_points_in_it(client: Client, view: View) -> None:
    x0, y0, x1, y1 = view.extent
    middle = (x0 + x1) / 2
    corners = {"x0": middle, "y0": y0, "x1": x1, "y1": y1}
    frame = decode(client.get(f"{STORE}/points", params=corners).content)
    inside = view.prepared.positions[:, 0] >= middle
    assert abs(int(frame["header"][1]) - inside.sum()) <= 1
    assert (view.prepared.positions[frame["row"], 0] >= middle - (x1 - x0) / 65_535).all()
    assert not frame["code"].any()
    few = decode(client.get(f"{STORE}/points", params={**corners, "budget": 10}).content)
    assert few["row"].tolist() == frame["row"][:10].tolist()
    assert few["header"][1] == frame["header"][1]


def test_a_filter_leaves_its_rows(client: Client, view: View) -> None:
    tree = {"in": ["label", ["Calanoida"]]}
    frame = decode(client.get(f"{STORE}/points", params={"filter": json.dumps(tree)}).content)
    assert sorted(frame["row"].tolist()) == np.flatnonzero(view.table.frame["label"] == "Calanoida").tolist()


@pytest.mark.parametrize("query", ["x0=5&x1=-5", "x0=1e30&x1=1e31", "y0=-1e300&y1=-1e299", "budget=0"])
def test_an_empty_view_is_an_empty_frame(client: Client, query: str) -> None:
    assert decode(client.get(f"{STORE}/points?{query}").content)["header"][0] == 0


def test_views_beyond_the_map_are_fine(client: Client) -> None:
    frame = decode(client.get(f"{STORE}/points?x0=-1e300&x1=1e300&y0=-1e9&y1=1e9").content)
    assert frame["header"][0] == 300


@pytest.mark.parametrize("query", ["x0=nan", "x0=inf", "x0=a", "budget=-1", "color=nope", "filter=5"])
def test_wrong_questions_are_refused(client: Client, query: str) -> None:
    answer = client.get(f"{STORE}/points?{query}")
    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "do"}


def test_a_public_explorer_gives_only_so_many_points(browse: Browse, monkeypatch: pytest.MonkeyPatch) -> None:
    from aqqua.app import server
    from aqqua.app.routes.context import Limits

    monkeypatch.setattr(server, "PUBLIC", Limits(points=20))
    frame = decode(browse(public=True).get(f"{STORE}/points").content)
    assert frame["header"].tolist()[:2] == [20, 300]
