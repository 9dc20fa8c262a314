// The cloud of points: loaded for the colour and filter chosen, told which stand out, given their colours.

import { batch, computed, effect, signal } from "@preact/signals";

import { categorical, continuous, css, GROUND, mix, MISSING, N_COLOURS, OTHER, word, type Rgb, type Theme } from "./colour.ts";
import { report } from "./failure.ts";
import { bounds, insidePolygon } from "./geometry.ts";
import { bin, occupied } from "./hit.ts";
import { EMPTY, unnamedFirst, type Points } from "./points.ts";
import { DIM, PLAIN, RING } from "./splat.ts";
import { alike, api, colour, columns, filterTree, highlight, item, meta, picks, polygon, similar, theme, view } from "./state.ts";
import type { Column, Extent, Meta } from "./types.ts";

const BUDGET = 300_000;
const GHOSTS = 100_000;

export const points = signal<Points>(EMPTY);
/** All points, shown faintly behind those that pass the filter. */
export const ghosts = signal<Points | null>(null);
/** Column that the codes of the points speak of; another may be on its way. */
export const colouredBy = signal<string | null>(null);
export const loading = signal(true);
/** Part of the data the points were asked for; null: all. */
export const portion = signal<Extent | null>(null);
export const bins = computed(() => bin(points.value));
/** Share of the map's extent that holds points, as all of them lie. */
export const covered = signal(1);

let running: AbortController | null = null;

effect(() => {
  const [server, read, by, filter, part] = [api.value, meta.value, colour.value, filterTree.value, portion.value];
  if (!server || !read) return;
  running?.abort();
  const mine = (running = new AbortController());
  loading.value = true;
  server.points(by, filter, BUDGET, part, mine.signal).then((got) => {
    batch(() => {
      points.value = unnamedFirst(got);
      colouredBy.value = by;
      if (filter === null && part === null) covered.value = occupied(bins.value);
      loading.value = false;
    });
  }, (error) => {
    if (running === mine) loading.value = false;
    report(error);
  });
});

let ghostsOf: unknown = null;

effect(() => {
  const [server, read, filter] = [api.value, meta.value, filterTree.value];
  if (!server || !read || filter === null || ghostsOf === server) return;
  ghostsOf = server;
  ghosts.value = null;
  server.points(null, null, GHOSTS, null, new AbortController().signal).then((got) => (ghosts.value = got), report);
});

/** Tells what is in view; where the server holds more points than it sent, the view's own are asked for. */
export function lookAt(extent: Extent): void {
  if (points.peek().total <= points.peek().n && portion.peek() === null) return;
  const [w, h] = [(extent[2] - extent[0]) / 4, (extent[3] - extent[1]) / 4];
  portion.value = [extent[0] - w, extent[1] - h, extent[2] + w, extent[3] + h];
}

effect(() => {
  if (view.value === null && portion.peek() !== null) portion.value = null;
});

// ---- standing ----------------------------------------------------------------------------------------------------------
const places = computed(() => {
  const out = new Map<number, number>();
  points.value.index.forEach((row, i) => out.set(row, i));
  return out;
});

/** Where in the arrays the point of a row is; −1 if it was not sent. */
export function placeOf(row: number): number {
  return places.value.get(row) ?? -1;
}

/** How each point stands (see splat.ts); null: all plain. */
export const standing = computed<Uint8Array | null>(() => {
  const [cloud, region, code, read] = [points.value, polygon.value, highlight.value, meta.value];
  const results = similar.value ? alike.value : null;
  const rings = [...picks.value.values()].map((row) => row.index);
  if (!read || (!region && code === null && !results && !rings.length && !item.value)) return null;
  const out = new Uint8Array(cloud.n).fill(results ? DIM : PLAIN);
  if (results) for (const row of results.known()) raise(out, row.index, PLAIN);
  if (region) dimOutside(out, cloud, region, read.extent);
  if (code !== null) for (let i = 0; i < cloud.n; i++) if (cloud.value[i] !== code) out[i] = DIM;
  for (const row of rings) raise(out, row, RING);
  return out;
});

function raise(out: Uint8Array, row: number, to: number): void {
  const at = placeOf(row);
  if (at >= 0) out[at] = to;
}

function dimOutside(out: Uint8Array, cloud: Points, region: [number, number][], [x0, y0, x1, y1]: Extent): void {
  const local = region.map(([x, y]): [number, number] => [((x - x0) / (x1 - x0)) * 65535, ((y - y0) / (y1 - y0)) * 65535]);
  const [a, b, c, d] = bounds(local);
  for (let i = 0; i < cloud.n; i++) {
    const [x, y] = [cloud.x[i], cloud.y[i]];
    if (x < a || x > c || y < b || y > d || !insidePolygon(x, y, local)) out[i] = DIM;
  }
}

// ---- colours -----------------------------------------------------------------------------------------------------------
/** Columns that speak of the same things share their colours: a taxon looks the same, said or predicted. */
const FAMILY = ["taxon", "taxon_linear", "taxon_knn", "label"];

const familyRanks = computed(() => (meta.value ? rank(meta.value) : new Map<unknown, number>()));

export function rank(read: Meta): Map<unknown, number> {
  const sums = new Map<unknown, number>();
  for (const column of read.columns)
    if (FAMILY.includes(column.name)) for (const [value, n] of column.values ?? []) sums.set(value, (sums.get(value) ?? 0) + n);
  return new Map([...sums].sort((a, b) => b[1] - a[1]).map(([value], i) => [value, i]));
}

export function colourOf(column: Column, value: unknown, theme_: Theme): Rgb {
  if (value === null || value === undefined) return MISSING[theme_];
  const at = FAMILY.includes(column.name) ? familyRanks.value.get(value) : column.values?.findIndex((v) => v[0] === value);
  return at === undefined || at < 0 || at >= N_COLOURS ? OTHER[theme_] : categorical(at, theme_);
}

/** Colour of each value code of the points in sight. */
export const palette = computed<Rgb[]>(() => {
  const column = columns.value.get(colouredBy.value ?? "");
  const now = theme.value;
  if (!column) return new Array<Rgb>(256).fill(OTHER[now]);
  return Array.from({ length: 256 }, (_, code) => {
    if (code === 0) return MISSING[now];
    if (column.kind !== "category") return continuous((code - 1) / 254, now);
    const value = column.values?.[code - 1];
    return value && code < 255 ? colourOf(column, value[0], now) : OTHER[now];
  });
});

export const colourWords = computed(() => Uint32Array.from(palette.value, word));
export const dimWords = computed(() => {
  const ground = GROUND[theme.value];
  return Uint32Array.from(palette.value, (rgb) => word(mix(mix(rgb, OTHER[theme.value], 0.55), ground, theme.value === "light" ? 0.72 : 0.7)));
});

/** Colour of an image's point, for the grid; null where it was not sent. */
export function pointColour(row: number): string | null {
  const at = placeOf(row);
  return at < 0 ? null : css(palette.value[points.value.value[at]]);
}
