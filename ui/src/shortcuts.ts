// Keys that work everywhere but where one types.

import { walk } from "./card.tsx";
import { theMap } from "./map.tsx";
import { allImages, dialog, filtersOpen, item, picks, polygon, showNames, showSimilar, similar, switchTheme, tool, trueSize } from "./state.ts";

const KEYS: Record<string, () => void> = {
  "?": () => (dialog.value = "help"),
  e: () => (dialog.value = "export"),
  f: () => (filtersOpen.value = !filtersOpen.value),
  t: switchTheme,
  l: () => (tool.value = "lasso"),
  b: () => (tool.value = "box"),
  v: () => (tool.value = "pan"),
  i: () => (allImages.value = !allImages.value),
  n: () => (showNames.value = !showNames.value),
  r: () => (trueSize.value = !trueSize.value),
  g: () => document.querySelector<HTMLElement>('.grid [tabindex="0"]')?.focus(),
  m: () => document.querySelector<HTMLElement>(".canvas")?.focus(),
  j: () => walk(1),
  k: () => walk(-1),
  s: () => item.value !== null && showSimilar([item.value]),
  "0": () => theMap()?.home(),
  "/": () => {
    filtersOpen.value = true;
    requestAnimationFrame(() => document.querySelector<HTMLElement>('.filters input[type="search"], .filters .fold')?.focus());
  },
  Escape: stepBack,
};

/** Takes back one thing: the card, the tool, the similar images, the picks, the region. */
function stepBack(): void {
  if (item.value !== null) item.value = null;
  else if (tool.value !== "pan") tool.value = "pan";
  else if (similar.value) similar.value = null;
  else if (picks.value.size) picks.value = new Map();
  else polygon.value = null;
}

export function listenKeys(): void {
  addEventListener("keydown", (e) => {
    const typing = e.target instanceof HTMLElement && e.target.matches("input:not([type=radio]):not([type=range]), select, textarea");
    if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || dialog.value !== null) return;
    if (typing) return void (e.key === "Escape" && (e.target as HTMLElement).blur());
    const act = KEYS[e.key.length === 1 ? e.key.toLowerCase() : e.key];
    if (!act) return;
    e.preventDefault();
    act();
  });
}
