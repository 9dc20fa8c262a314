import assert from "node:assert/strict";
import { test } from "node:test";

import { atMost, bin, forEachIn, nearest, occupied } from "../src/hit.ts";
import { decodePoints, unnamedFirst, unquantise, type Points } from "../src/points.ts";
import { crowded, spread } from "../src/spread.ts";

function encode(n: number, total = n, kind = 0): ArrayBuffer {
  const buffer = new ArrayBuffer(32 + 9 * n);
  const view = new DataView(buffer);
  [..."AQP1"].forEach((c, i) => view.setUint8(i, c.charCodeAt(0)));
  view.setUint32(4, n, true);
  view.setUint32(8, total, true);
  view.setUint32(12, kind, true);
  view.setFloat32(16, -2.5, true);
  view.setFloat32(20, 40, true);
  for (let i = 0; i < n; i++) {
    view.setUint32(32 + 4 * i, 1000 + i, true);
    view.setUint16(32 + 4 * n + 2 * i, i * 7, true);
    view.setUint16(32 + 6 * n + 2 * i, 65535 - i, true);
    view.setUint8(32 + 8 * n + i, i % 3);
  }
  return buffer;
}

function cloud(n: number, seed = 1): Points {
  let s = seed;
  const random = () => ((s = (s * 1103515245 + 12345) % 2 ** 31) / 2 ** 31) * 65535;
  return {
    n, total: n, kind: "category", min: 0, max: 1,
    index: Uint32Array.from({ length: n }, (_, i) => i), x: Uint16Array.from({ length: n }, random), y: Uint16Array.from({ length: n }, random), value: new Uint8Array(n),
  };
}

test("a frame is decoded as the server writes it, also with an odd number of points", () => {
  for (const n of [0, 1, 5, 8]) {
    const read = decodePoints(encode(n, n + 3, 1));
    assert.deepEqual([read.n, read.total, read.kind, read.min, read.max], [n, n + 3, "number", -2.5, 40]);
    assert.deepEqual([...read.index], Array.from({ length: n }, (_, i) => 1000 + i));
    assert.deepEqual([...read.y], Array.from({ length: n }, (_, i) => 65535 - i));
    assert.deepEqual([...read.value], Array.from({ length: n }, (_, i) => i % 3));
  }
});

test("a frame that is damaged is refused", () => {
  assert.throws(() => decodePoints(new ArrayBuffer(8)), /AQP1/);
  assert.throws(() => decodePoints(encode(4).slice(0, 60)), /cut short/);
});

test("16-bit steps span the extent", () => {
  const read = decodePoints(encode(2));
  assert.deepEqual(unquantise(read, 0, [10, 20, 30, 40]), [10, 40]);
});

test("points without a value are drawn first, and keep what belongs to them", () => {
  const read = unnamedFirst(decodePoints(encode(5)));
  assert.deepEqual([...read.value], [0, 0, 1, 2, 1]);
  assert.deepEqual([...read.index], [1000, 1003, 1001, 1002, 1004]);
  assert.deepEqual([...read.x], [0, 21, 7, 14, 28]);
});

test("the nearest point is the one brute force finds", () => {
  const points = cloud(3000);
  const bins = bin(points);
  for (let k = 0; k < 300; k++) {
    const [x, y, rx, ry] = [(k * 7919) % 65536, (k * 104729) % 65536, 900, 500];
    let [best, at] = [1, -1];
    for (let i = 0; i < points.n; i++) {
      const d = ((points.x[i] - x) / rx) ** 2 + ((points.y[i] - y) / ry) ** 2;
      if (d < best || (d === best && i > at)) [best, at] = [d, i];
    }
    assert.equal(nearest(points, bins, x, y, rx, ry), at);
  }
});

test("a rectangle holds exactly the points within it", () => {
  const points = cloud(2000, 3);
  const bins = bin(points);
  for (const [x0, y0, x1, y1] of [[0, 0, 65535, 65535], [1000, 2000, 30000, 2100], [-500, -500, 300, 70000], [9, 9, 8, 8]]) {
    const seen: number[] = [];
    forEachIn(points, bins, x0, y0, x1, y1, (i) => seen.push(i));
    const wanted = [...points.index].filter((i) => points.x[i] >= x0 && points.x[i] <= x1 && points.y[i] >= y0 && points.y[i] <= y1);
    assert.deepEqual(seen.sort((a, b) => a - b), wanted);
    assert.ok(atMost(bins, x0, y0, x1, y1) >= wanted.length);
    assert.equal(crowded(points, bins, x0, y0, x1, y1, wanted.length), wanted.length === 0);
    if (wanted.length) assert.equal(crowded(points, bins, x0, y0, x1, y1, wanted.length - 1), true);
  }
});

test("pictures never touch, and none that has room is left out", () => {
  const points = cloud(1500, 5);
  const bins = bin(points);
  const [w, h] = [4000, 6000];
  const shown = spread(points, bins, 0, 0, 65535, 65535, w, h, 1e9, (i) => i % 2 === 0);
  const touch = (i: number, j: number) => Math.abs(points.x[i] - points.x[j]) < w && Math.abs(points.y[i] - points.y[j]) < h;
  shown.forEach((i, a) => shown.slice(a + 1).forEach((j) => assert.ok(!touch(i, j))));
  for (let i = 0; i < points.n; i += 2) assert.ok(shown.some((j) => i === j || touch(i, j)));
  assert.ok(shown.every((i) => i % 2 === 0));
  assert.equal(spread(points, bins, 0, 0, 65535, 65535, w, h, 3, () => true).length, 3);
});

test("a picture with a value goes before one without", () => {
  const points = cloud(2, 9);
  points.x.set([100, 110]);
  points.y.set([100, 100]);
  points.value[1] = 4;
  assert.deepEqual(spread(points, bin(points), 0, 0, 65535, 65535, 500, 500, 9, () => true), [1]);
});

test("covered ground is the share of cells with points", () => {
  const points = cloud(4, 7);
  points.x.set([0, 255, 256, 65535]);
  points.y.set([0, 0, 0, 65535]);
  assert.equal(occupied(bin(points)), 3 / 65536);
});
