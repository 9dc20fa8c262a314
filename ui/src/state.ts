// The state of the page: a handful of signals. Everything shown follows from them; the URL hash mirrors them.

import { batch, computed, effect, signal } from "@preact/signals";

import { Api, maps as askMaps, stores as askStores } from "./api.ts";
import type { Theme } from "./colour.ts";
import { failure, report } from "./failure.ts";
import { expression, type Filters } from "./filters.ts";
import { Listing } from "./listing.ts";
import { forgetRows, remember } from "./rows.ts";
import type { Column, Meta, Page, Point, Row, Store } from "./types.ts";
import { decode, encode } from "./urlstate.ts";
import type { View } from "./view.ts";

export type Tool = "pan" | "lasso" | "box";
export type Dialog = "help" | "export" | null;

export const stores = signal<Store[] | null>(null);
/** How many collections of maps lie beside the datasets. */
export const atlas = signal(0);
export const storeName = signal<string | null>(null);
export const meta = signal<Meta | null>(null);

export const colour = signal<string | null>(null);
export const filters = signal<Filters>({});
export const polygon = signal<Point[] | null>(null);
export const similar = signal<string[] | null>(null);
export const item = signal<string | null>(null);
export const sort = signal<{ by: string | null; descending: boolean }>({ by: null, descending: false });
export const picks = signal<ReadonlyMap<string, Row>>(new Map());
/** null: everything in view. */
export const view = signal<View | null>(null);

export const tool = signal<Tool>("pan");
export const allImages = signal(false);
export const showNames = signal(true);
export const trueSize = signal(false);
export const filtersOpen = signal(true);
export const dialog = signal<Dialog>(null);
/** Value code that the legend points at. */
export const highlight = signal<number | null>(null);

export const api = computed(() => (storeName.value === null ? null : new Api(storeName.value)));
export const columns = computed(() => new Map<string, Column>((meta.value?.columns ?? []).map((c) => [c.name, c])));
export const filterTree = computed(() => expression(filters.value));
export const query = computed(() => ({ filter: filterTree.value, ...(polygon.value ? { polygon: polygon.value } : {}) }));
export const narrowed = computed(() => filterTree.value !== null || polygon.value !== null);

/** All images that pass filter and region; what the count in the bar counts. */
export const matching = signal<Listing | null>(null);
/** The images like those asked for, best first. */
export const alike = signal<Listing | null>(null);
export const listing = computed(() => (similar.value ? alike.value : matching.value));

// ---- theme -------------------------------------------------------------------------------------------------------------
const prefersDark = matchMedia("(prefers-color-scheme: dark)");
const chosen = signal<Theme | null>(remembered("aqqua-theme") as Theme | null);
const system = signal<Theme>(prefersDark.matches ? "dark" : "light");
prefersDark.addEventListener("change", (e) => (system.value = e.matches ? "dark" : "light"));
export const theme = computed<Theme>(() => (chosen.value === "light" || chosen.value === "dark" ? chosen.value : system.value));
effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

export function switchTheme(): void {
  chosen.value = theme.value === "light" ? "dark" : "light";
  try {
    localStorage.setItem("aqqua-theme", chosen.value);
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}

function remembered(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

// ---- actions -----------------------------------------------------------------------------------------------------------
export function clearAll(): void {
  batch(() => {
    filters.value = {};
    polygon.value = null;
    similar.value = null;
  });
}

export function showSimilar(uids: string[]): void {
  batch(() => {
    similar.value = uids;
    item.value = null;
    picks.value = new Map();
  });
}

export function pick(row: Row, on = !picks.value.has(row.uid)): void {
  const next = new Map(picks.value);
  if (on) next.set(row.uid, row);
  else next.delete(row.uid);
  picks.value = next;
}

// ---- loading -----------------------------------------------------------------------------------------------------------
export async function start(): Promise<void> {
  failure.value = null;
  try {
    stores.value = await askStores();
  } catch (error) {
    return report(error);
  }
  applyHash();
  askMaps().then((found) => (atlas.value = found.length), () => undefined); // without maps there is no link to them
}

/** Puts the page into the state the hash describes. */
function applyHash(): void {
  const read = decode(location.hash);
  const known = stores.value?.find((s) => s.store === read.store) ?? stores.value?.[0];
  if (known?.store !== storeName.peek()) forgetRows();
  batch(() => {
    if (known?.store !== storeName.peek()) meta.value = null;
    storeName.value = known?.store ?? null;
    filters.value = read.filters;
    polygon.value = read.polygon ?? null;
    similar.value = read.similar ?? null;
    item.value = read.item ?? null;
    sort.value = { by: read.sort ?? null, descending: read.descending ?? false };
    view.value = read.view ?? null;
    if (read.colour) colour.value = read.colour;
  });
}

/** Another dataset: what belonged to the old one goes. */
export function choose(store: string): void {
  forgetRows();
  batch(() => {
    clearAll();
    item.value = view.value = meta.value = null;
    picks.value = new Map();
    storeName.value = store;
  });
}

effect(() => {
  const server = api.value;
  if (!server) return;
  server.meta().then((read) => {
    if (api.peek() !== server) return;
    batch(() => {
      meta.value = read;
      document.title = `${read.title} – aqqua`;
      const names = new Set(read.columns.map((c) => c.name));
      if (!names.has(colour.peek() ?? "")) colour.value = firstColour(read);
      filters.value = Object.fromEntries(Object.entries(filters.peek()).filter(([name]) => names.has(name)));
    });
  }, report);
});

/** What tells most at first sight: the taxon, said or predicted; else the cluster, the instrument, any column. */
export function firstColour(read: Meta): string | null {
  const useful = (c?: Column) => c && (c.kind !== "category" || (c.values?.length ?? 0) > 1) && (c.missing ?? 0) < 0.6 * read.n;
  const wanted = ["taxon", "label", "taxon_linear", "taxon_knn", "cluster", "instrument"];
  const by = (name: string) => read.columns.find((c) => c.name === name);
  return wanted.find((name) => useful(by(name))) ?? read.columns.find(useful)?.name ?? read.columns[0]?.name ?? null;
}

effect(() => {
  const [server, read] = [api.value, meta.value];
  if (!server || !read) return;
  const asked = query.value;
  const { by, descending } = sort.value;
  const known = by !== null && columns.peek().has(by) ? by : null;
  const next = new Listing((offset, limit) => server.query(asked, { offset, limit, sort: known, desc: descending }).then(kept));
  next.first().then(() => {
    if (query.peek() === asked && sort.peek().by === by && sort.peek().descending === descending) matching.value = next;
  }, report);
});

function kept(page: Page): Page {
  remember(page.rows);
  return page;
}

const MOST_ALIKE = 200;

effect(() => {
  const [server, uids, filter] = [api.value, similar.value, filterTree.value];
  if (!server || !uids || !meta.value) {
    alike.value = null;
    return;
  }
  server.similar(uids, MOST_ALIKE, filter).then((rows) => {
    if (similar.peek() !== uids) return;
    remember(rows);
    alike.value = Listing.of(rows);
  }, report);
});

// ---- URL ---------------------------------------------------------------------------------------------------------------
const VIEW_SETTLES = 200;

/** What of the state is a step one may want to go back; moving the map is not. */
const place = computed(() => ({
  store: (stores.value?.length ?? 0) > 1 ? (storeName.value ?? undefined) : undefined,
  colour: colour.value ?? undefined,
  filters: filters.value,
  polygon: polygon.value ?? undefined,
  item: item.value ?? undefined,
  similar: similar.value ?? undefined,
  sort: sort.value.by ?? undefined,
  descending: sort.value.descending,
}));

let written: string | null = null;
let fromHash = false;

export function watchHash(): void {
  let later = 0;
  addEventListener("popstate", () => {
    fromHash = true;
    applyHash();
    fromHash = false;
  });
  effect(() => {
    const now = place.value;
    if (meta.value) write(encode({ ...now, view: view.peek() ?? undefined }), encode(now));
  });
  effect(() => {
    const now = view.value ?? undefined;
    clearTimeout(later);
    later = window.setTimeout(() => meta.peek() && write(encode({ ...place.peek(), view: now }), encode(place.peek())), VIEW_SETTLES);
  });
}

function write(hash: string, step: string): void {
  if (written !== null && step !== written && !fromHash) history.pushState(null, "", "#" + hash);
  else if (hash !== location.hash.slice(1)) history.replaceState(null, "", "#" + hash);
  written = step;
}
