// Which point is nearest the cursor: points binned once into a 256 × 256 grid over their 16-bit coordinates.

import type { Points } from "./points.ts";

const SIDE = 256;
const SHIFT = 8;

export interface Bins {
  /** First entry of each cell in `order`; one more at the end. */
  start: Uint32Array;
  /** Point numbers, cell by cell, in drawing order within a cell. */
  order: Uint32Array;
}

export function bin(points: Points): Bins {
  const start = new Uint32Array(SIDE * SIDE + 1);
  const { n, x, y } = points;
  for (let i = 0; i < n; i++) start[cell(x[i], y[i]) + 1]++;
  for (let c = 0; c < SIDE * SIDE; c++) start[c + 1] += start[c];
  const next = start.slice(0, SIDE * SIDE);
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[next[cell(x[i], y[i])]++] = i;
  return { start, order };
}

function cell(x: number, y: number): number {
  return (y >> SHIFT) * SIDE + (x >> SHIFT);
}

/**
 * The nearest point within an ellipse of half axes `rx`, `ry` (16-bit units) about (x, y); of points equally near
 * the one drawn last (on top). −1 where there is none.
 */
export function nearest(points: Points, bins: Bins, x: number, y: number, rx: number, ry: number): number {
  let [best, at] = [1, -1];
  forEachIn(points, bins, x - rx, y - ry, x + rx, y + ry, (i) => {
    const d = ((points.x[i] - x) / rx) ** 2 + ((points.y[i] - y) / ry) ** 2;
    if (d < best || (d === best && i > at)) [best, at] = [d, i];
  });
  return at;
}

/** Calls `visit` for every point in the rectangle (16-bit units, borders included). */
export function forEachIn(
  points: Points, bins: Bins, x0: number, y0: number, x1: number, y1: number, visit: (i: number) => void,
): void {
  const [c0, c1] = [column(x0), column(x1)];
  for (let row = column(y0); row <= column(y1); row++) {
    const last = bins.start[row * SIDE + c1 + 1];
    for (let k = bins.start[row * SIDE + c0]; k < last; k++) {
      const i = bins.order[k];
      if (points.x[i] >= x0 && points.x[i] <= x1 && points.y[i] >= y0 && points.y[i] <= y1) visit(i);
    }
  }
}

function column(v: number): number {
  return Math.max(0, Math.min(SIDE - 1, Math.floor(v) >> SHIFT));
}

/** Points in the cells the rectangle touches: no fewer than there are in it. */
export function atMost(bins: Bins, x0: number, y0: number, x1: number, y1: number): number {
  const [c0, c1] = [column(x0), column(x1)];
  let n = 0;
  for (let row = column(y0); row <= column(y1); row++) n += bins.start[row * SIDE + c1 + 1] - bins.start[row * SIDE + c0];
  return n;
}

/** Share of the cells that hold any point. */
export function occupied(bins: Bins): number {
  let full = 0;
  for (let c = 0; c < SIDE * SIDE; c++) if (bins.start[c + 1] > bins.start[c]) full++;
  return full / (SIDE * SIDE);
}
