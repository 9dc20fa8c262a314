// The map with its tools, legend and tooltip.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { loading, points } from "./cloud.ts";
import { count, plural, title } from "./format.ts";
import { IconButton, Icon } from "./icons.tsx";
import { Legend } from "./legend.tsx";
import { frames, MapView } from "./mapview.ts";
import { allImages, clearAll, colour, dialog, matching, meta, narrowed, polygon, showNames, showSimilar, tool, type Tool } from "./state.ts";
import { Tooltip } from "./tooltip.tsx";

let current: MapView | null = null;

/** The map on screen, for shortcuts and the item card. */
export const theMap = () => current;

export function EmbeddingMap() {
  const [frame, base, over] = [useRef<HTMLDivElement>(null), useRef<HTMLCanvasElement>(null), useRef<HTMLCanvasElement>(null)];
  useEffect(() => {
    const map = (current = new MapView(frame.current!, base.current!, over.current!));
    Object.assign(base.current!, { aqquaFrames: frames });
    return () => map.stop();
  }, []);
  return (
    <section class="map" aria-label="Map of the embedding">
      <Legend />
      <div class="map-body">
        <div
          ref={frame} class={"canvas " + tool.value} tabIndex={0} role="application" data-testid="map"
          aria-label="Map of the embedding. Arrow keys move, plus and minus zoom, 0 shows everything, A selects what is in view."
        >
          <canvas ref={base} />
          <canvas ref={over} />
        </div>
        <Tools />
        <Status />
        <Selected />
        <Note />
        <Tooltip />
        <Empty />
      </div>
    </section>
  );
}

const TOOLS: [Tool, string, string, "pan" | "lasso" | "box"][] = [
  ["pan", "Move the map", "V", "pan"], ["lasso", "Select with the lasso", "L", "lasso"], ["box", "Select with a box", "B", "box"],
];

function Tools() {
  return (
    <div class="tools" role="toolbar" aria-label="Map tools" aria-orientation="vertical">
      <div>{TOOLS.map(([name, label, keys, icon]) => <IconButton key={name} icon={icon} label={label} keys={keys} pressed={tool.value === name} onClick={() => (tool.value = name)} />)}</div>
      <div>
        <IconButton icon="plus" label="Zoom in" keys="+" onClick={() => current?.zoomMiddle(1.8)} />
        <IconButton icon="minus" label="Zoom out" keys="-" onClick={() => current?.zoomMiddle(1 / 1.8)} />
        <IconButton icon="fit" label="Show everything" keys="0" onClick={() => current?.home()} />
      </div>
      <div>
        <IconButton icon="images" label="Pictures on the map" keys="I" pressed={allImages.value} onClick={() => (allImages.value = !allImages.value)} />
        <IconButton icon="names" label="Cluster names" keys="N" pressed={showNames.value} onClick={() => (showNames.value = !showNames.value)} />
      </div>
    </div>
  );
}

/** How many points are drawn: all, or an honest sample. */
function Status() {
  const { n, total } = points.value;
  const sampled = total > n;
  return (
    <p class="status" data-testid="points" data-points={n}>
      {loading.value && !n ? "Loading points …" : sampled ? `Random sample of ${count(n)} out of ${plural(total, "point")} – zoom in for all` : plural(n, "point")}
      {loading.value && <span class="progress" role="progressbar" aria-label="Loading points" />}
    </p>
  );
}

const MOST_ASKED = 64;

/** What can be done with the region drawn. */
function Selected() {
  const list = matching.value;
  if (!polygon.value || !list) return null;
  const first = list.known().slice(0, MOST_ASKED).map((row) => row.uid);
  return (
    <div class="selected" role="group" aria-label="Selection" data-testid="selection" data-selected={list.total}>
      <span><strong>{count(list.total)}</strong> selected</span>
      <button type="button" class="button" disabled={!first.length} onClick={() => showSimilar(first)}><Icon name="similar" />Similar</button>
      <button type="button" class="button" disabled={!list.total} onClick={() => (dialog.value = "export")}><Icon name="export" />Export</button>
      <button type="button" class="button quiet" onClick={() => (polygon.value = null)}>Clear</button>
    </div>
  );
}

/** What the server wants to be known, for example that there are no predictions yet. */
function Note() {
  const closed = useSignal(false);
  const note = meta.value?.note;
  if (!note || closed.value) return null;
  return <div class="map-note" role="note"><span>{note}</span><IconButton icon="close" label="Dismiss" onClick={() => (closed.value = true)} /></div>;
}

function Empty() {
  const list = matching.value;
  if (!meta.value || loading.value || !list || list.total > 0) return null;
  if (meta.value.n === 0)
    return <div class="empty over"><h2>This dataset has no images yet</h2><p>Read some in, then open it again:</p><code>aqqua ingest SOURCE DATASET</code></div>;
  return (
    <div class="empty over">
      <h2>No image passes all filters</h2>
      <p>Widen a range, untick a category, or start afresh.</p>
      {narrowed.value && <button type="button" class="button primary" onClick={clearAll}>Clear all filters</button>}
    </div>
  );
}

/** What the legend is headed with. */
export function ColourChooser() {
  const read = meta.value;
  if (!read) return null;
  return (
    <label class="chooser">
      <select value={colour.value ?? ""} aria-label="Colour by" title="What the points are coloured by" data-testid="colour" onChange={(e) => (colour.value = e.currentTarget.value)}>
        {read.columns.map((c) => <option key={c.name} value={c.name}>{title(c.name)}</option>)}
      </select>
    </label>
  );
}
