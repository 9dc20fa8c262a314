// The right-hand panel: the images of the selection, or the card of one.

import { useEffect, useRef } from "preact/hooks";

import { ItemCard } from "./card.tsx";
import { count, plural, title } from "./format.ts";
import { GridView, gridScale } from "./gridview.tsx";
import { Icon, IconButton } from "./icons.tsx";
import { scaleBar } from "./scalebar.ts";
import { columns, dialog, item, listing, picks, showSimilar, similar, sort, trueSize } from "./state.ts";
import { clamp } from "./view.ts";

const SORTS = ["longest_side_um", "outlier", "p_linear", "p_knn", "time_utc", "depth_min_m", "label", "taxon", "taxon_linear", "instrument"];

export function Side() {
  const panel = useRef<HTMLElement>(null);
  return (
    <>
      <Splitter panel={panel} />
      <aside ref={panel} class="side" aria-label="Images">
        <div class="side-body" inert={item.value !== null}>
          <Head />
          <GridView />
          <Picked />
        </div>
        {item.value !== null && <ItemCard key="card" uid={item.value} />}
      </aside>
    </>
  );
}

function Head() {
  const list = listing.value;
  const by = sort.value.by ?? "";
  const offered = SORTS.filter((name) => columns.value.has(name));
  return (
    <div class="side-head">
      <h2>{similar.value ? "Similar images" : "Images"} <span class="count" data-testid="grid-count">{list ? count(list.total) : ""}</span></h2>
      <span class="spacer" />
      {!similar.value && (
        <label class="chooser">
          <span>Sort</span>
          <select value={by} data-testid="sort" onChange={(e) => (sort.value = { ...sort.value, by: e.currentTarget.value || null })}>
            <option value="">as stored</option>
            {offered.map((name) => <option key={name} value={name}>{title(name)}</option>)}
          </select>
        </label>
      )}
      {!similar.value && <IconButton icon={sort.value.descending ? "descending" : "ascending"} label={sort.value.descending ? "Largest first" : "Smallest first"} disabled={!by} onClick={() => (sort.value = { by: by || null, descending: !sort.value.descending })} />}
      <TrueSize />
    </div>
  );
}

/** All images at one scale, with the bar to read it by. */
function TrueSize() {
  const bar = trueSize.value && gridScale.value > 0 ? scaleBar(1 / gridScale.value, 56) : null;
  return (
    <>
      {bar && <span class="scale-note"><span class="bar-line" style={{ width: `${bar.px.toFixed(1)}px` }} />{bar.text}</span>}
      <IconButton icon="ruler" label="True size: all images at one scale" keys="R" pressed={trueSize.value} onClick={() => (trueSize.value = !trueSize.value)} />
    </>
  );
}

const MOST_ASKED = 64;

function Picked() {
  const n = picks.value.size;
  if (!n) return null;
  return (
    <div class="picked-bar" role="group" aria-label="Picked images">
      <strong>{plural(n, "image")} picked</strong>
      <span class="spacer" />
      <button type="button" class="button" onClick={() => showSimilar([...picks.value.keys()].slice(0, MOST_ASKED))}><Icon name="similar" />Similar</button>
      <button type="button" class="button" onClick={() => (dialog.value = "export")}><Icon name="export" />Export</button>
      <button type="button" class="button quiet" onClick={() => (picks.value = new Map())}>Clear</button>
    </div>
  );
}

/** The border between map and panel, pulled with the mouse or the arrow keys. */
function Splitter({ panel }: { panel: { current: HTMLElement | null } }) {
  const handle = useRef<HTMLDivElement>(null);
  const set = (width: number) => {
    const most = innerWidth * 0.6;
    document.documentElement.style.setProperty("--side", `${Math.round(clamp(width, 280, most))}px`);
  };
  useEffect(() => {
    const node = handle.current!;
    const move = (e: PointerEvent) => node.hasPointerCapture(e.pointerId) && set(innerWidth - e.clientX);
    const down = (e: PointerEvent) => node.setPointerCapture(e.pointerId);
    const key = (e: KeyboardEvent) => {
      const by = { ArrowLeft: 32, ArrowRight: -32 }[e.key];
      if (by) set((panel.current?.offsetWidth ?? 400) + by);
    };
    node.addEventListener("pointermove", move);
    node.addEventListener("pointerdown", down);
    node.addEventListener("keydown", key);
    return () => {
      node.removeEventListener("pointermove", move);
      node.removeEventListener("pointerdown", down);
      node.removeEventListener("keydown", key);
    };
  }, []);
  return <div ref={handle} class="splitter" role="separator" aria-orientation="vertical" aria-label="Width of the image panel" tabIndex={0} />;
}
