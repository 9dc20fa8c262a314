// The binary answer of `points`: a 32-byte header, then columns one after another.

import type { Extent } from "./types.ts";

export interface Points {
  n: number;
  /** Points in view on the server; more than `n` where a sample was sent. */
  total: number;
  kind: "category" | "number";
  min: number;
  max: number;
  /** Row of each point in store order. */
  index: Uint32Array;
  /** Position over the dataset's extent, 0…65535. */
  x: Uint16Array;
  y: Uint16Array;
  value: Uint8Array;
}

export const EMPTY: Points = {
  n: 0, total: 0, kind: "category", min: 0, max: 1,
  index: new Uint32Array(0), x: new Uint16Array(0), y: new Uint16Array(0), value: new Uint8Array(0),
};

const HEADER = 32;
const BYTES_PER_POINT = 9;

export function decodePoints(buffer: ArrayBuffer): Points {
  const head = new DataView(buffer);
  const magic = buffer.byteLength >= HEADER ? String.fromCharCode(...new Uint8Array(buffer, 0, 4)) : "";
  if (magic !== "AQP1") throw new Error("The server's points are not in the format AQP1.");
  const n = head.getUint32(4, true);
  if (buffer.byteLength < HEADER + n * BYTES_PER_POINT) throw new Error("The server's points were cut short.");
  return {
    n,
    total: head.getUint32(8, true),
    kind: head.getUint32(12, true) === 0 ? "category" : "number",
    min: head.getFloat32(16, true),
    max: head.getFloat32(20, true),
    index: new Uint32Array(buffer, HEADER, n),
    x: new Uint16Array(buffer, HEADER + 4 * n, n),
    y: new Uint16Array(buffer, HEADER + 6 * n, n),
    value: new Uint8Array(buffer, HEADER + 8 * n, n),
  };
}

/** Data coordinates of the 16-bit grid. */
export function unquantise(points: Points, i: number, [x0, y0, x1, y1]: Extent): [number, number] {
  return [x0 + (points.x[i] / 65535) * (x1 - x0), y0 + (points.y[i] / 65535) * (y1 - y0)];
}

/** Points without a value come first, so that they are drawn under those that have one; else the order stays. */
export function unnamedFirst(points: Points): Points {
  const order = new Uint32Array(points.n);
  let at = 0;
  for (let i = 0; i < points.n; i++) if (points.value[i] === 0) order[at++] = i;
  if (at === 0 || at === points.n) return points;
  for (let i = 0; i < points.n; i++) if (points.value[i] !== 0) order[at++] = i;
  return { ...points, index: points.index.map((_, k) => points.index[order[k]]), x: points.x.map((_, k) => points.x[order[k]]), y: points.y.map((_, k) => points.y[order[k]]), value: points.value.map((_, k) => points.value[order[k]]) };
}
