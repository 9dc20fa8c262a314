// Help and export, over everything else.

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import type { ServerError } from "./api.ts";
import { plural } from "./format.ts";
import { Icon, IconButton } from "./icons.tsx";
import { api, dialog, matching, picks, query, similar, listing } from "./state.ts";

export function Dialogs() {
  if (dialog.value === "help") return <Help />;
  return dialog.value === "export" ? <Export /> : null;
}

function Modal({ name, children }: { name: string; children: ComponentChildren }) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const node = box.current!;
    const before = document.activeElement as HTMLElement | null;
    node.showModal();
    node.querySelector<HTMLElement>(".primary:not(:disabled)")?.focus();
    const outside = (e: MouseEvent) => e.target === node && (dialog.value = null);
    const closed = () => (dialog.value = null);
    node.addEventListener("click", outside);
    node.addEventListener("close", closed);
    return () => {
      node.removeEventListener("close", closed);
      before?.isConnected && before.focus();
    };
  }, []);
  return (
    <dialog ref={box} class="dialog" aria-label={name}>
      <div class="dialog-head"><h2>{name}</h2><span class="spacer" /><IconButton icon="close" label="Close" keys="Esc" onClick={() => (dialog.value = null)} /></div>
      {children}
    </dialog>
  );
}

const KEYS: [string, [string, string][]][] = [
  ["Map", [
    ["Drag", "move"], ["Wheel, + −", "zoom"], ["← ↑ → ↓", "move (Shift: farther)"], ["0", "show everything"], ["Shift + drag", "select with the lasso"],
    ["L  B  V", "lasso, box, move"], ["A", "select what is in view"], ["I", "pictures on the map"], ["N", "cluster names"], ["Shift + click", "pick a point"],
  ]],
  ["Images", [["← ↑ → ↓", "walk"], ["Enter", "open"], ["Space", "pick"], ["Shift + click", "pick all between"], ["R", "true size"], ["G", "to the images"]]],
  ["Card", [["J  K", "image after, before"], ["S", "similar images"], ["Esc", "close"]]],
  ["Everywhere", [["F", "filters"], ["E", "export"], ["T", "light or dark"], ["/", "search values"], ["Esc", "one step back"], ["?", "this help"]]],
];

function Help() {
  return (
    <Modal name="Help">
      <p class="lead">Each point is an image; images the model finds alike lie near each other. Hover to look, click to read all about an image, draw around points to select them. Distances far apart on the map mean little; neighbourhoods mean much.</p>
      <div class="keys">
        {KEYS.map(([where, list]) => (
          <section key={where}><h3>{where}</h3><dl>{list.map(([key, does]) => <div key={key}><dt>{key.split(/ {2}/).map((k) => <kbd key={k}>{k}</kbd>)}</dt><dd>{does}</dd></div>)}</dl></section>
        ))}
      </div>
      <p class="note">The address of this page holds colour, view, filters, region and open image: send it to show what you see. Your images stay on this machine.</p>
    </Modal>
  );
}

type Format = "ecotaxa" | "csv";

const FORMATS: [Format, string, string][] = [
  ["ecotaxa", "EcoTaxa (zip)", "Images and one TSV table, ready to import into an EcoTaxa project as predicted objects."],
  ["csv", "Table (CSV)", "Metadata, labels and predictions, a row for each image; no pictures."],
];

/** What will be exported: picked images; else what the grid shows. */
export function exportScope(): { uids?: string[]; n: number; what: string } {
  if (picks.value.size) return { uids: [...picks.value.keys()], n: picks.value.size, what: "picked" };
  if (similar.value && listing.value) return { uids: listing.value.known().map((row) => row.uid), n: listing.value.total, what: "similar" };
  return { n: matching.value?.total ?? 0, what: "shown" };
}

function Export() {
  const format = useSignal<Format>("ecotaxa");
  const busy = useSignal(false);
  const done = useSignal("");
  const wrong = useSignal<ServerError | null>(null);
  const scope = exportScope();
  const go = async () => {
    busy.value = true;
    wrong.value = null;
    done.value = "";
    try {
      const { blob, name } = await api.value!.export({ to: format.value, ...(scope.uids ? { filter: null, uids: scope.uids } : query.value) });
      save(blob, name);
      done.value = name;
    } catch (error) {
      wrong.value = error as ServerError;
    }
    busy.value = false;
  };
  return (
    <Modal name="Export">
      <p class="lead"><strong data-testid="export-count">{plural(scope.n, "image")}</strong> {scope.what === "shown" ? "of the present filters and region" : scope.what === "similar" ? "found similar" : "picked"}.</p>
      <div class="formats" role="radiogroup" aria-label="Format">
        {FORMATS.map(([id, name, what]) => (
          <label key={id} class={format.value === id ? "on" : ""}><input type="radio" name="format" checked={format.value === id} onChange={() => (format.value = id)} /><span><strong>{name}</strong>{what}</span></label>
        ))}
      </div>
      {wrong.value && <p class="wrong" role="alert"><strong>{wrong.value.message}</strong> {wrong.value.act}</p>}
      <div class="dialog-foot">
        <span class="note" role="status">{done.value && `Saved as ${done.value}`}</span>
        <span class="spacer" />
        <button type="button" class="button primary" disabled={busy.value || !scope.n} data-testid="export-go" onClick={() => void go()}><Icon name="export" />{busy.value ? "Preparing …" : "Download"}</button>
      </div>
    </Modal>
  );
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
