import assert from "node:assert/strict";
import { test } from "node:test";

import { placeNames, type Name } from "../src/labels.ts";
import { cellAt, cellsIn, gridHeight, layOut, reveal, step, thumbSize, trueScale } from "../src/layout.ts";
import { percentiles, scaleBar, stretch, toneFilter } from "../src/scalebar.ts";

const grid = layOut(360, 1000, 92, 20, 8);

test("cells fill the width exactly once", () => {
  assert.equal(grid.columns, 4);
  const [left] = cellAt(grid, 3);
  assert.ok(left + grid.cell <= 360 && left + grid.cell > 350);
  assert.equal(gridHeight(grid), 250 * grid.row - 8);
  assert.equal(gridHeight({ ...grid, count: 0 }), 0);
  assert.equal(layOut(0, 5, 92, 20, 8).columns, 2);
});

test("every cell in the window exists, and few others do", () => {
  for (const top of [0, 313, 9999, 1e6]) {
    const [first, last] = cellsIn(grid, top, 700);
    for (let i = 0; i < grid.count; i++) {
      const y = cellAt(grid, i)[1];
      if (y + grid.row > top && y < top + 700) assert.ok(i >= first && i < last);
    }
    assert.ok(last - first <= grid.columns * (Math.ceil(700 / grid.row) + 6));
  }
});

test("arrow keys walk and stop at the ends", () => {
  assert.equal(step(grid, 5, "ArrowLeft"), 4);
  assert.equal(step(grid, 5, "ArrowDown"), 9);
  assert.equal(step(grid, 0, "ArrowUp"), 0);
  assert.equal(step(grid, 990, "PageDown"), 999);
  assert.equal(step(grid, 990, "Home"), 0);
  assert.equal(step(grid, 9, "x"), 9);
});

test("a cell is revealed with the least movement", () => {
  assert.equal(reveal(grid, 0, 500, 300), 0);
  assert.equal(reveal(grid, 40, 0, 300), 11 * grid.row - 300);
  assert.equal(reveal(grid, 4, 0, 400), 0);
});

test("thumbnails are never enlarged", () => {
  assert.deepEqual(thumbSize(50, 30), [50, 30]);
  assert.deepEqual(thumbSize(960, 320), [96, 32]);
  assert.deepEqual(thumbSize(5000, 3), [96, 1]);
});

test("at true scale nine of ten images fit their cell", () => {
  const sides = Array.from({ length: 100 }, (_, i) => 10 * (i + 1));
  const scale = trueScale(sides, 90);
  assert.equal(sides.filter((um) => um * scale > 90).length, 9);
  assert.equal(trueScale([], 90), 0);
  assert.equal(trueScale([0, NaN], 90), 0);
});

test("the scale bar tells the truth", () => {
  const bar = scaleBar(68 / 3.76, 128)!;
  assert.equal(bar.um, 2000);
  assert.ok(Math.abs(bar.px - (2000 / 68) * 3.76) < 1e-9);
  assert.equal(bar.text, "2\u202fmm");
  assert.equal(scaleBar(0, 100), null);
  assert.equal(scaleBar(NaN, 100), null);
});

test("auto contrast maps the range to black and white", () => {
  const { brightness, contrast } = stretch(0.3, 0.7);
  const shown = (v: number) => (v * brightness - 0.5) * contrast + 0.5;
  assert.ok(Math.abs(shown(0.3)) < 1e-9);
  assert.ok(Math.abs(shown(0.7) - 1) < 1e-9);
  assert.equal(toneFilter({ brightness: 1, contrast: 1, invert: false }), "none");
  assert.equal(toneFilter({ brightness: 2, contrast: 1, invert: true }), "brightness(2.000) invert(1)");
});

test("percentiles leave out the rare extremes", () => {
  const rgba = new Uint8ClampedArray(4 * 1000);
  for (let i = 0; i < 1000; i++) rgba.fill(i < 2 ? 0 : i > 997 ? 255 : 100 + (i % 51), 4 * i, 4 * i + 4);
  assert.deepEqual(percentiles(rgba).map((v) => Math.round(v * 255)), [100, 150]);
  assert.deepEqual(percentiles(new Uint8ClampedArray(400).fill(80)).map((v) => Math.round(v * 255)), [80, 80]);
});

test("names never overlap, the first ones win, none leaves the map", () => {
  const names: Name[] = Array.from({ length: 60 }, (_, i) => ({ x: (i * 97) % 500, y: (i * 61) % 300, width: 60 + (i % 5) * 10, height: 18 }));
  const placed = placeNames(names, 500, 300);
  assert.equal(placed[0].at, 1);
  for (const p of placed) {
    const n = names[p.at];
    assert.ok(p.left >= 0 && p.top >= 0 && p.left + n.width <= 500 && p.top + n.height <= 300);
    for (const q of placed) {
      const m = names[q.at];
      if (p !== q) assert.ok(p.left + n.width <= q.left || q.left + m.width <= p.left || p.top + n.height <= q.top || q.top + m.height <= p.top);
    }
  }
  assert.ok(placed.length > 15);
});
