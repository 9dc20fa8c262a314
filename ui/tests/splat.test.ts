import assert from "node:assert/strict";
import { test } from "node:test";

import type { Points } from "../src/points.ts";
import { DIM, makeStamps, placement, PLAIN, radius, splat, type Frame, type Style } from "../src/splat.ts";
import { between, fit, pan, toData, toScreen, visible, zoomAt } from "../src/view.ts";
import type { Extent, Point } from "../src/types.ts";

const RED = 0xff0000ff;
const WHITE = 0xffffffff;
const frame = (width: number, height: number): Frame => ({ pixels: new Uint32Array(width * height).fill(WHITE), width, height });
const at = (...xy: Point[]): Points => ({
  n: xy.length, total: xy.length, kind: "category", min: 0, max: 1, index: Uint32Array.from(xy, (_, i) => i),
  x: Uint16Array.from(xy, (p) => p[0]), y: Uint16Array.from(xy, (p) => p[1]), value: new Uint8Array(xy.length).fill(1),
});
const style = (r: number, rim = 0): Style => ({ radius: r, colours: new Uint32Array(256).fill(RED), rim, rimWidth: rim ? 1 : 0 });
const plain = { ax: 0, bx: 1, ay: 0, by: 1 };

test("a disc has the area of a circle and its middle full colour", () => {
  const canvas = frame(41, 41);
  splat(canvas, at([20, 20]), null, PLAIN, plain, style(6));
  const inked = canvas.pixels.reduce((sum, p) => sum + (255 - ((p >> 8) & 255)) / 255, 0);
  assert.ok(Math.abs(inked - Math.PI * 36) < 4, String(inked));
  assert.equal(canvas.pixels[20 * 41 + 20], RED);
  assert.equal(canvas.pixels[0], WHITE);
});

test("discs over the edge are clipped, never wrapped to the other side", () => {
  const canvas = frame(30, 20);
  splat(canvas, at([0, 10], [29, 10], [15, 0], [15, 19]), null, PLAIN, plain, style(4));
  assert.equal(canvas.pixels[10 * 30], RED);
  for (let y = 0; y < 20; y++) for (const x of [8, 22]) assert.equal(canvas.pixels[y * 30 + x], WHITE);
});

test("points off the canvas are not drawn", () => {
  assert.equal(splat(frame(10, 10), at([500, 500], [5, 5]), null, PLAIN, plain, style(2)), 1);
  assert.equal(splat(frame(10, 10), at([500, 500], [5, 5]), null, PLAIN, plain, style(0.6)), 1);
});

test("only points of the standing asked for are drawn, tiny ones too", () => {
  for (const r of [0.6, 0.9, 3]) {
    const canvas = frame(40, 10);
    splat(canvas, at([5, 5], [30, 5]), Uint8Array.from([DIM, PLAIN]), PLAIN, plain, style(r));
    assert.equal(canvas.pixels[5 * 40 + 5], WHITE);
    assert.equal(canvas.pixels[5 * 40 + 30], RED);
  }
});

test("a rim surrounds the disc", () => {
  const canvas = frame(41, 41);
  splat(canvas, at([20, 20]), null, PLAIN, plain, style(5, 0xff000000));
  assert.equal(canvas.pixels[20 * 41 + 20], RED);
  assert.ok((canvas.pixels[20 * 41 + 25] & 0xff) < 60, "half a pixel outside the disc is rim");
  assert.equal(canvas.pixels[20 * 41 + 30], WHITE);
});

test("stamps cover the same area at every position within a pixel", () => {
  const { alpha, side } = makeStamps(2.5);
  const areas = Array.from({ length: 16 }, (_, k) => alpha.slice(k * side * side, (k + 1) * side * side).reduce((a, b) => a + b, 0) / 256);
  for (const area of areas) assert.ok(Math.abs(area - Math.PI * 6.25) < 0.6, String(area));
});

test("few points are large, many are small, all grow with zoom", () => {
  assert.ok(radius(300, 400_000, 1) > radius(30_000, 100_000, 1));
  assert.ok(radius(30_000, 100_000, 1) > radius(1_000_000, 200_000, 1));
  assert.ok(radius(1000, 1000, 1) >= 2);
  assert.ok(radius(1_000_000, 200_000, 500) > 3);
  assert.ok(radius(10, 1e9, 4096) <= 7);
});

const size = { width: 800, height: 600 };
const extent: Extent = [-3, 10, 5, 14];

test("the renderer and the view agree on where a point is", () => {
  const view = { x: 1, y: 12, scale: 77 };
  const place = placement(view, size, extent, 2);
  for (const [qx, qy] of [[0, 0], [65535, 65535], [1234, 54321]]) {
    const data: Point = [extent[0] + (qx / 65535) * 8, extent[1] + (qy / 65535) * 4];
    const [x, y] = toScreen(view, size, data);
    assert.ok(Math.abs(place.ax + place.bx * qx - 2 * x) < 1e-6);
    assert.ok(Math.abs(place.ay + place.by * qy - 2 * y) < 1e-6);
  }
});

test("what is under the cursor stays there when one zooms, within the range of zoom", () => {
  const home = fit(extent, size);
  let view = home;
  const cursor: Point = [613, 97];
  const under = toData(view, size, cursor);
  for (let k = 0; k < 40; k++) view = zoomAt(view, size, cursor, 1.3, home);
  const now = toData(view, size, cursor);
  assert.ok(Math.hypot(now[0] - under[0], now[1] - under[1]) < 1e-9);
  assert.ok(view.scale > 1000 * home.scale);
  for (let k = 0; k < 99; k++) view = zoomAt(view, size, cursor, 1e9, home);
  assert.equal(view.scale, home.scale * 4096);
});

test("home shows everything, panning moves by pixels", () => {
  const home = fit(extent, size);
  const [x0, y0, x1, y1] = visible(home, size);
  assert.ok(x0 < -3 && y0 < 10 && x1 > 5 && y1 > 14);
  assert.deepEqual(toScreen(pan(home, 30, -20), size, [1, 12]).map(Math.round), [430, 280]);
});

test("a glide begins and ends where it should", () => {
  const [a, b] = [fit(extent, size), { x: 4, y: 11, scale: 2000 }];
  assert.deepEqual(between(a, b, 0), a);
  const end = between(a, b, 1);
  assert.ok(Math.abs(end.x - 4) < 1e-9 && Math.abs(end.y - 11) < 1e-9 && Math.abs(end.scale - 2000) < 1e-6);
  assert.ok(Math.abs(between(a, { ...a, x: 2 }, 0.5).x - 1.5) < 1e-9);
});
