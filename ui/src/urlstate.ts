// What the URL hash holds, so that a view can be sent to a colleague. The hash is foreign input: what does not parse is left out.

import { isRange, type Clause, type Filters } from "./filters.ts";
import type { Point } from "./types.ts";
import type { View } from "./view.ts";

export interface UrlState {
  store?: string;
  colour?: string;
  view?: View;
  filters: Filters;
  polygon?: Point[];
  item?: string;
  similar?: string[];
  sort?: string;
  descending?: boolean;
}

const MOST_VERTICES = 200;

export function encode(state: UrlState): string {
  const out = new URLSearchParams();
  if (state.store) out.set("store", state.store);
  if (state.colour) out.set("colour", state.colour);
  if (state.view) out.set("view", [state.view.x, state.view.y, state.view.scale].map((v) => Number(v.toPrecision(6))).join(","));
  if (Object.keys(state.filters).length) out.set("filter", JSON.stringify(state.filters));
  if (state.polygon) out.set("polygon", state.polygon.map((p) => p.join(",")).join(";"));
  if (state.similar?.length) out.set("similar", state.similar.join(","));
  if (state.item) out.set("item", state.item);
  if (state.sort) out.set("sort", (state.descending ? "-" : "") + state.sort);
  return out.toString();
}

export function decode(hash: string): UrlState {
  const read = new URLSearchParams(hash.replace(/^#/, ""));
  const text = (name: string) => read.get(name) || undefined;
  const sort = text("sort");
  return {
    store: text("store"),
    colour: text("colour"),
    view: decodeView(text("view")),
    filters: decodeFilters(text("filter")),
    polygon: decodePolygon(text("polygon")),
    item: uids(text("item"))?.[0],
    similar: uids(text("similar")),
    sort: sort?.replace(/^-/, ""),
    descending: sort?.startsWith("-"),
  };
}

function decodeView(text?: string): View | undefined {
  const [x, y, scale, ...rest] = numbers(text, ",");
  return rest.length === 0 && scale > 0 ? { x, y, scale } : undefined;
}

function decodePolygon(text?: string): Point[] | undefined {
  const points = (text ?? "").split(";").map((p) => numbers(p, ","));
  const good = points.length >= 3 && points.length <= MOST_VERTICES && points.every((p) => p.length === 2);
  return good ? (points as Point[]) : undefined;
}

/** All numbers of the text, or none where one is no number. */
function numbers(text: string | undefined, by: string): number[] {
  const out = (text ?? "").split(by).map((t) => (t.trim() === "" ? NaN : Number(t)));
  return out.every(Number.isFinite) ? out : [];
}

function uids(text?: string): string[] | undefined {
  const out = (text ?? "").split(",");
  return out.every((t) => /^\d{1,20}$/.test(t)) ? out : undefined;
}

function decodeFilters(text?: string): Filters {
  try {
    const read: unknown = JSON.parse(text ?? "{}");
    if (typeof read !== "object" || read === null || Array.isArray(read)) return {};
    return Object.fromEntries(Object.entries(read).filter((pair): pair is [string, Clause] => isClause(pair[1])));
  } catch {
    return {};
  }
}

function isClause(value: unknown): value is Clause {
  if (typeof value !== "object" || value === null) return false;
  const clause = value as Clause;
  if (isRange(clause)) return isBound(clause.low) && isBound(clause.high) && (clause.low !== null || clause.high !== null);
  return Array.isArray(clause.values) && clause.values.every((v) => ["string", "number", "boolean"].includes(typeof v)) &&
    (clause.values.length > 0 || clause.missing === true);
}

function isBound(value: unknown): boolean {
  return value === null || typeof value === "string" || (typeof value === "number" && Number.isFinite(value));
}
