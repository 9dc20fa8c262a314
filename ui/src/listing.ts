// A list of images of which only the pages in sight have been fetched.

import { signal } from "@preact/signals";

import { report } from "./failure.ts";
import type { Page, Row } from "./types.ts";

export const PAGE = 256;

export class Listing {
  total = 0;
  /** Counts up whenever rows have arrived. */
  readonly version = signal(0);
  private rows = new Map<number, Row>();
  private asked = new Set<number>();

  constructor(private readonly fetch: (offset: number, limit: number) => Promise<Page>) {}

  static of(rows: Row[]): Listing {
    const list = new Listing(() => Promise.resolve({ total: rows.length, rows: [] }));
    list.total = rows.length;
    rows.forEach((row, i) => list.rows.set(i, row));
    for (let p = 0; p * PAGE < rows.length; p++) list.asked.add(p);
    return list;
  }

  first(): Promise<void> {
    return this.load(0);
  }

  row(i: number): Row | undefined {
    return this.rows.get(i);
  }

  /** Rows fetched so far, in order. */
  known(): Row[] {
    return [...this.rows.keys()].sort((a, b) => a - b).map((i) => this.rows.get(i) as Row);
  }

  /** Place of an image in the list, where it has been fetched. */
  find(uid: string): number {
    for (const [i, row] of this.rows) if (row.uid === uid) return i;
    return -1;
  }

  /** Fetches what is missing of rows first…last. */
  need(first: number, last: number): void {
    for (let p = Math.floor(first / PAGE); p * PAGE < Math.min(last, this.total); p++) if (!this.asked.has(p)) this.load(p).catch(report);
  }

  private async load(page: number): Promise<void> {
    this.asked.add(page);
    try {
      const read = await this.fetch(page * PAGE, PAGE);
      this.total = read.total;
      read.rows.forEach((row, i) => this.rows.set(page * PAGE + i, row));
      this.version.value++;
    } catch (error) {
      this.asked.delete(page);
      throw error;
    }
  }
}
