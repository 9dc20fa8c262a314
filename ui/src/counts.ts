// Histograms of the open filter sections: of all images once, and of those the other filters let through.

import { effect, signal, type Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";

import { report } from "./failure.ts";
import { expression } from "./filters.ts";
import { api, columns, filters, polygon } from "./state.ts";
import type { Column, Histogram } from "./types.ts";

const BINS = 40;

export interface Counts {
  all: Signal<Histogram | null>;
  now: Signal<Histogram | null>;
}

/** Loads while the component is on screen; what the column itself filters does not count. */
export function useCounts(column: Column): Counts {
  const counts = useMemo(() => ({ all: signal<Histogram | null>(null), now: signal<Histogram | null>(null) }), [column]);
  useEffect(() => {
    const everything = effect(() => {
      if (!columns.value.has(column.name)) return;
      void api.value?.histogram(column.name, BINS, { filter: null }).then((read) => (counts.all.value = read), report);
    });
    let running: AbortController | null = null;
    const remaining = effect(() => {
      const [server, filter, region] = [api.value, expression(filters.value, column.name), polygon.value];
      running?.abort();
      running = new AbortController();
      if (!server || !columns.value.has(column.name)) return;
      if (!filter && !region) return void (counts.now.value = null);
      server.histogram(column.name, BINS, { filter, ...(region ? { polygon: region } : {}) }, running.signal).then((read) => (counts.now.value = read), report);
    });
    return () => {
      everything();
      remaining();
      running?.abort();
    };
  }, [column, counts]);
  return counts;
}
