// Thumbnails by the sheet: 64 to a sprite, each fetched once, the least used forgotten.

import { signal } from "@preact/signals";

import { isAbort } from "./api.ts";
import { report } from "./failure.ts";
import { thumbSize } from "./layout.ts";
import { remember, rowAt } from "./rows.ts";
import { api } from "./state.ts";
import type { Row } from "./types.ts";

const SHEET = 64;
const CELL = 96;
const KEPT = 6000;

/** A thumbnail: where on which sheet. */
export interface Thumb {
  sheet: ImageBitmap;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Counts up whenever thumbnails have arrived. */
export const arrived = signal(0);

const thumbs = new Map<number, Thumb>();
const asked = new Set<number>();
let wanted = new Set<number>();
let owner: unknown = null;
let timer = 0;

function mine(): void {
  if (owner === api.peek()) return;
  owner = api.peek();
  for (const kept of [thumbs, asked, wanted]) kept.clear();
}

/** A thumbnail if it is there; what is drawn with it is drawn again when more arrive. */
export function thumbOf(index: number): Thumb | undefined {
  mine();
  void arrived.value;
  return thumbs.get(index);
}

/** Asks for thumbnails that are not there yet; they come together, a sheet at a time. */
export function want(indices: Iterable<number>): void {
  mine();
  wanted = new Set([...indices].filter((i) => !asked.has(i)));
  clearTimeout(timer);
  if (wanted.size) timer = window.setTimeout(fetchWanted, 30);
}

function fetchWanted(): void {
  const list = [...wanted];
  wanted.clear();
  for (let at = 0; at < list.length; at += SHEET) void fetchSheet(list.slice(at, at + SHEET));
}

async function fetchSheet(indices: number[]): Promise<void> {
  const server = api.peek();
  if (!server) return;
  indices.forEach((i) => asked.add(i));
  try {
    const [sheet] = await Promise.all([fetchBitmap(server.sprite(indices)), brief(indices)]);
    if (api.peek() !== server) return;
    indices.forEach((index, k) => {
      const row = rowAt(index);
      if (!row) return;
      const [width, height] = thumbSize(row.width, row.height, CELL);
      const [x, y] = [(k % 8) * CELL + Math.floor((CELL - width) / 2), Math.floor(k / 8) * CELL + Math.floor((CELL - height) / 2)];
      thumbs.set(index, { sheet, x, y, width, height });
    });
    forget();
    arrived.value++;
  } catch (error) {
    indices.forEach((i) => asked.delete(i));
    if (!isAbort(error)) report(error);
  }
}

async function fetchBitmap(url: string): Promise<ImageBitmap> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`The server has no thumbnails (${answer.status}).`);
  return createImageBitmap(await answer.blob());
}

/** The rows of some images, from memory where they are. */
export async function brief(indices: number[]): Promise<Row[]> {
  mine();
  const missing = indices.filter((i) => !rowAt(i));
  if (missing.length && api.peek()) remember(await api.peek()!.brief(missing));
  return indices.flatMap((i) => rowAt(i) ?? []);
}

/** Maps keep the order in which things came: the oldest go first. */
function forget(): void {
  for (const index of thumbs.keys()) {
    if (thumbs.size <= KEPT) break;
    thumbs.delete(index);
    asked.delete(index);
  }
}
