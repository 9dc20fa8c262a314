// The two lines on top: what is open, and what of it is shown.

import { describe, without } from "./filters.ts";
import { count, plural } from "./format.ts";
import { IconButton, Icon, Mark } from "./icons.tsx";
import { atlas, choose, clearAll, columns, dialog, filters, filtersOpen, listing, matching, meta, narrowed, picks, polygon, similar, storeName, stores, switchTheme, theme } from "./state.ts";
import type { Meta } from "./types.ts";

export function Header() {
  const read = meta.value;
  return (
    <header class="header">
      <IconButton icon="filter" label={filtersOpen.value ? "Hide filters" : "Show filters"} keys="F" pressed={filtersOpen.value} onClick={() => (filtersOpen.value = !filtersOpen.value)} />
      <span class="brand"><Mark />aqqua</span>
      <StoreChooser />
      <span class="spacer" />
      {read && <ModelName read={read} />}
      {atlas.value > 0 && <a class="button" href="maps" title="Global maps beside these datasets">Maps</a>}
      <button type="button" class="button primary" disabled={!read} title="Export what is selected (E)" aria-keyshortcuts="E" onClick={() => (dialog.value = "export")}>
        <Icon name="export" />Export
      </button>
      <IconButton icon={theme.value === "light" ? "dark" : "light"} label={theme.value === "light" ? "Dark theme" : "Light theme"} keys="T" onClick={switchTheme} />
      <IconButton icon="help" label="Help and shortcuts" keys="?" onClick={() => (dialog.value = "help")} />
    </header>
  );
}

/** Whose vectors make the map. */
function ModelName({ read }: { read: Meta }) {
  const others = read.models.filter((m) => m !== read.model);
  const more = others.length ? ` To see another: aqqua explore DATASET --model ${others[0]}` : "";
  return <span class="model-name" title={read.model ? `The map and the similar images come from this model's vectors.${more}` : (read.note ?? "")}><span>Model</span>{read.model ?? "none yet"}</span>;
}

function StoreChooser() {
  const all = stores.value ?? [];
  if (all.length < 2) return <h1 class="dataset" title={meta.value?.title}>{meta.value?.title ?? all[0]?.title ?? ""}</h1>;
  return (
    <h1 class="dataset">
      <select aria-label="Dataset" value={storeName.value ?? ""} onChange={(e) => choose(e.currentTarget.value)}>
        {all.map((s) => <option key={s.store} value={s.store}>{all.some((o) => o !== s && o.title === s.title) ? `${s.title} (${s.store})` : s.title}</option>)}
      </select>
    </h1>
  );
}

/** How many are shown, and why: each filter is a chip that can be taken away. */
export function Bar() {
  const total = meta.value?.n ?? 0;
  const list = matching.value;
  return (
    <div class="bar" role="region" aria-label="What is shown">
      <output class="shown" data-testid="shown" data-shown={list?.total} aria-live="polite">
        {list ? <><strong>{count(list.total)}</strong> of {plural(total, "image")}</> : <span class="muted">Counting …</span>}
      </output>
      <div class="chips">
        {Object.entries(filters.value).map(([name, clause]) => {
          const column = columns.value.get(name);
          return column && <Chip key={name} text={describe(column, clause)} onClose={() => (filters.value = without(filters.value, name))} />;
        })}
        {polygon.value && <Chip key="" text="Region on the map" onClose={() => (polygon.value = null)} />}
        {similar.value && <Chip key=" " text={`Similar to ${similar.value.length === 1 ? "one image" : plural(similar.value.length, "image")} (${count(listing.value?.total ?? 0)})`} onClose={() => (similar.value = null)} />}
        {!narrowed.value && !similar.value && <span class="hint">Draw around points with Shift + drag, click a name in the legend, or pull a histogram on the left.</span>}
      </div>
      {(narrowed.value || similar.value) && <button type="button" class="button quiet" onClick={clearAll}>Clear all</button>}
      {picks.value.size > 0 && <span class="picked">{count(picks.value.size)} picked</span>}
    </div>
  );
}

function Chip({ text, onClose }: { text: string; onClose: () => void }) {
  return (
    <span class="chip">
      <span>{text}</span>
      <button type="button" aria-label={`Remove: ${text}`} title="Remove" onClick={onClose}><Icon name="close" /></button>
    </span>
  );
}
