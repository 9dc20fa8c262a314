// Filters: at most one clause for each column, joined by "and"; the server speaks expression trees.

import { category, count, number, time, title, unitOf } from "./format.ts";
import type { Column, Expression } from "./types.ts";

export type Value = string | number | boolean;

export type Clause =
  | { values: Value[]; missing?: boolean }
  | { low: number | string | null; high: number | string | null };

export type Filters = Readonly<Record<string, Clause>>;

export function isRange(clause: Clause): clause is { low: number | string | null; high: number | string | null } {
  return "low" in clause;
}

/** The tree for all clauses but the one of column `except` (a histogram does not filter itself); null: no filter. */
export function expression(filters: Filters, except?: string): Expression | null {
  const parts = Object.entries(filters).filter(([name]) => name !== except).map(([name, clause]) => one(name, clause));
  return parts.length === 0 ? null : parts.length === 1 ? parts[0] : { and: parts };
}

function one(name: string, clause: Clause): Expression {
  if (isRange(clause)) return { range: [name, clause.low, clause.high] };
  const among: Expression = { in: [name, clause.values] };
  if (!clause.missing) return among;
  return clause.values.length ? { or: [among, { missing: name }] } : { missing: name };
}

export function without(filters: Filters, name: string): Filters {
  return Object.fromEntries(Object.entries(filters).filter(([key]) => key !== name));
}

/** Adds or takes away one category (null = "missing"); the last one gone, the clause goes too. */
export function toggle(filters: Filters, name: string, value: Value | null): Filters {
  const had = filters[name];
  const old = had && !isRange(had) ? had : { values: [] };
  const values = old.values.includes(value as Value) ? old.values.filter((v) => v !== value) : [...old.values, value as Value];
  const next = value === null ? { values: old.values, missing: !old.missing } : { values, missing: old.missing };
  if (!next.values.length && !next.missing) return without(filters, name);
  return { ...filters, [name]: next.missing ? { values: next.values, missing: true } : { values: next.values } };
}

export function isOn(filters: Filters, name: string, value: Value | null): boolean {
  const clause = filters[name];
  if (!clause || isRange(clause)) return false;
  return value === null ? Boolean(clause.missing) : clause.values.includes(value);
}

/** Sets a range; open at both ends it is no filter. */
export function setRange(filters: Filters, name: string, low: number | string | null, high: number | string | null): Filters {
  return low === null && high === null ? without(filters, name) : { ...filters, [name]: { low, high } };
}

/** What a chip says. */
export function describe(column: Column, clause: Clause): string {
  if (isRange(clause)) return `${title(column.name)} ${range(column, clause.low, clause.high)}`;
  const names = clause.values.map((v) => category(column.name, v));
  if (clause.missing) names.push("missing");
  const shown = names.length > 2 ? `${names[0]} + ${count(names.length - 1)} more` : names.join(" or ");
  return `${title(column.name)}: ${shown}`;
}

function range(column: Column, low: number | string | null, high: number | string | null): string {
  const say = (v: number | string) => (column.kind === "time" ? time(v, true) : number(Number(v), 4));
  const unit = unitOf(column);
  const after = unit && column.kind === "number" ? "\u202f" + unit : "";
  if (low !== null && high !== null) return `${say(low)} – ${say(high)}${after}`;
  return (low !== null ? `≥ ${say(low)}` : `≤ ${say(high ?? NaN)}`) + after;
}
