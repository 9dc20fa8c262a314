// The panel of filters: a section for each column, filed under the headings the server gives.

import { useSignal } from "@preact/signals";

import { colourOf } from "./cloud.ts";
import { css } from "./colour.ts";
import { useCounts } from "./counts.ts";
import { isOn, isRange, toggle, without, type Value } from "./filters.ts";
import { category, count, field, plural, title } from "./format.ts";
import { HistogramFilter } from "./histogram.tsx";
import { Icon } from "./icons.tsx";
import { colour, filters, meta, theme } from "./state.ts";
import type { Column, Histogram, Meta } from "./types.ts";

/** Open at first: what a plankton ecologist asks first. */
const FIRST = ["label", "taxon", "taxon_linear", "depth_min_m", "time_utc", "longest_side_um", "instrument"];
const MOST_OPEN = 5;
const SHORT = 7;

/** Columns worth filtering by; constants are told in one line each. */
export function sortColumns(read: Meta): { groups: [string, Column[]][]; constant: Column[]; open: Set<string> } {
  const empty = (c: Column) => (c.missing ?? 0) >= read.n;
  const constant = read.columns.filter((c) => !empty(c) && isConstant(c));
  const useful = read.columns.filter((c) => !empty(c) && !isConstant(c));
  const groups = new Map<string, Column[]>();
  for (const c of useful) groups.set(c.group ?? "columns", [...(groups.get(c.group ?? "columns") ?? []), c]);
  const open = FIRST.filter((name) => useful.some((c) => c.name === name)).slice(0, MOST_OPEN);
  return { groups: [...groups], constant, open: new Set(open) };
}

function isConstant(c: Column): boolean {
  if ((c.missing ?? 0) > 0) return false;
  return c.kind === "category" ? (c.distinct ?? c.values?.length ?? 0) <= 1 : c.min === c.max;
}

export function FilterPanel() {
  const read = meta.value;
  if (!read) return <aside class="filters" aria-label="Filters"><Skeleton /></aside>;
  const { groups, constant, open } = sortColumns(read);
  return (
    <aside class="filters" aria-label="Filters">
      {groups.map(([name, list]) => (
        <section key={name}>
          {groups.length > 1 && <h2>{title(name)}</h2>}
          {list.map((c) => <Section key={c.name} column={c} open={open.has(c.name) || c.name in filters.peek()} n={read.n} />)}
        </section>
      ))}
      {constant.length > 0 && (
        <section class="constants">
          <h2>Same for all images</h2>
          <dl>{constant.map((c) => <div key={c.name} title={c.doc ?? c.name}><dt>{title(c.name)}</dt><dd>{constantValue(c)}</dd></div>)}</dl>
        </section>
      )}
    </aside>
  );
}

function constantValue(c: Column): string {
  return c.kind === "category" ? category(c.name, c.values?.[0]?.[0] ?? "–") : field(c.name, c.min, c.unit);
}

function Skeleton() {
  return <div aria-hidden="true">{[0, 1, 2, 3].map((i) => <div key={i} class="skeleton section" />)}</div>;
}

function Section({ column, open, n }: { column: Column; open: boolean; n: number }) {
  const shown = useSignal(open);
  const active = column.name in filters.value;
  return (
    <section class={"column" + (active ? " active" : "")}>
      <h3>
        <button type="button" class="fold" aria-expanded={shown.value} title={`${column.name}${column.doc ? ": " + column.doc : ""}`} onClick={() => (shown.value = !shown.value)}>
          <Icon name={shown.value ? "down" : "next"} /><span>{title(column.name)}</span>
        </button>
        {active && <button type="button" class="reset" onClick={() => (filters.value = without(filters.value, column.name))} aria-label={`Reset ${title(column.name)}`}>Reset</button>}
        <button type="button" class="tint" aria-pressed={colour.value === column.name} title="Colour the map by this" aria-label={`Colour by ${title(column.name)}`} onClick={() => (colour.value = column.name)}><span /></button>
      </h3>
      {shown.value && <Body column={column} n={n} />}
    </section>
  );
}

function Body({ column, n }: { column: Column; n: number }) {
  const { all, now } = useCounts(column);
  if (column.kind === "category") return <Categories column={column} now={now.value} n={n} />;
  return (
    <>
      <HistogramFilter column={column} all={all.value} now={now.value} />
      {Boolean(column.missing) && <p class="note">{plural(column.missing!, "image")} without a value</p>}
    </>
  );
}

interface Entry {
  value: Value | null;
  all: number;
  now: number;
}

/** Values with their counts under the other filters; what is ticked always stays in sight. */
export function entries(column: Column, now: Histogram | null, search: string, on: (v: Value | null) => boolean): Entry[] {
  const counts = now ? new Map(now.values?.map(([v, c]) => [v, c])) : null;
  const list: Entry[] = (column.values ?? []).map(([value, all]) => ({ value, all, now: counts ? (counts.get(value) ?? 0) : all }));
  if (column.missing) list.push({ value: null, all: column.missing, now: now ? (now.missing ?? 0) : column.missing });
  const wanted = search.trim().toLowerCase();
  const found = wanted ? list.filter((e) => category(column.name, e.value ?? "no value").toLowerCase().includes(category(column.name, wanted))) : list;
  return counts ? found.map((e, i) => ({ e, i })).sort((a, b) => Number(on(b.e.value)) - Number(on(a.e.value)) || Number(a.e.value === null) - Number(b.e.value === null) || b.e.now - a.e.now || a.i - b.i).map(({ e }) => e) : found;
}

function Categories({ column, now, n }: { column: Column; now: Histogram | null; n: number }) {
  const search = useSignal("");
  const whole = useSignal(false);
  const clause = filters.value[column.name];
  const list = entries(column, now, search.value, (v) => Boolean(clause && !isRange(clause) && isOn(filters.value, column.name, v)));
  const many = (column.values?.length ?? 0) > SHORT + 2;
  const shown = many && !whole.value ? list.slice(0, SHORT) : list;
  const most = Math.sqrt(Math.max(1, ...list.map((e) => e.all)));
  return (
    <div class="categories">
      {many && (
        <label class="search"><Icon name="search" />
          <input type="search" placeholder={`Search ${count(column.values!.length)} values`} aria-label={`Search ${title(column.name)}`} value={search.value} onInput={(e) => (search.value = e.currentTarget.value)} />
        </label>
      )}
      <ul class={whole.value ? "scroll" : ""}>
        {shown.map((e) => <CategoryRow key={String(e.value)} column={column} entry={e} share={Math.sqrt(e.now) / most} />)}
      </ul>
      {!list.length && <p class="note">{search.value ? "No such value." : `None of ${count(n)} images has a value.`}</p>}
      {many && list.length > SHORT && <button type="button" class="more" onClick={() => (whole.value = !whole.value)}>{whole.value ? "Show fewer" : `Show all ${count(list.length)}`}</button>}
    </div>
  );
}

function CategoryRow({ column, entry, share }: { column: Column; entry: Entry; share: number }) {
  const on = isOn(filters.value, column.name, entry.value);
  const text = entry.value === null ? "no value" : category(column.name, entry.value);
  return (
    <li>
      <button type="button" role="checkbox" aria-checked={on} class={entry.now ? "" : "none"} title={entry.value === null ? "Images without a value" : String(entry.value)} onClick={() => (filters.value = toggle(filters.value, column.name, entry.value))}>
        <span class="tick">{on && <Icon name="check" />}</span>
        {colour.value === column.name && <span class="dot" style={{ background: css(colourOf(column, entry.value, theme.value)) }} />}
        <span class={"name" + (entry.value === null ? " muted" : "")}>{text}</span>
        <span class="share" aria-hidden="true"><span style={{ transform: `scaleX(${share.toFixed(3)})` }} /></span>
        <span class="count">{count(entry.now)}</span>
      </button>
    </li>
  );
}
