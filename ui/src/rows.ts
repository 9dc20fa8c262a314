// What is known of each image in short, gathered from every list that came by.

import { signal } from "@preact/signals";

import type { Row } from "./types.ts";

/** Counts up whenever rows have arrived. */
export const rowsArrived = signal(0);

const byIndex = new Map<number, Row>();
const byUid = new Map<string, number>();

export function remember(list: Iterable<Row>): void {
  for (const row of list) {
    byIndex.set(row.index, row);
    byUid.set(row.uid, row.index);
  }
  rowsArrived.value = rowsArrived.peek() + 1;
}

export function rowAt(index: number): Row | undefined {
  return byIndex.get(index);
}

/** The map knows points by row number, everyone else by uid. */
export function rowNumber(uid: string): number | undefined {
  return byUid.get(uid);
}

/** Another dataset: row numbers mean something else. */
export function forgetRows(): void {
  byIndex.clear();
  byUid.clear();
}
