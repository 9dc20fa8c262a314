import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { contrast, parse } from "../src/colour.ts";

const sheet = readFileSync("src/app.css", "utf8");

function variables(selector: string): Record<string, string> {
  const block = sheet.slice(sheet.indexOf(selector + " {")).split("}")[0];
  return Object.fromEntries([...block.matchAll(/--([a-z-]+): (#[0-9a-f]{6})/g)].map((m) => [m[1], m[2]]));
}

const light = variables(":root");
const dark = { ...light, ...variables(':root[data-theme="dark"]') };

test("all text meets WCAG AA (4.5 : 1) on all it is written on", () => {
  for (const [name, theme] of Object.entries({ light, dark }))
    for (const ground of ["surface", "ground", "raised", "field", "hover", "accent-soft"])
      for (const ink of ["ink", "ink-soft", "accent"]) {
        const ratio = contrast(parse(theme[ink]), parse(theme[ground]));
        assert.ok(ratio >= 4.5, `${name}: ${ink} on ${ground} has ${ratio.toFixed(2)}`);
      }
});

test("so does what is written on buttons and warnings", () => {
  for (const theme of [light, dark]) {
    assert.ok(contrast(parse(theme["accent-ink"]), parse(theme.accent)) >= 4.5);
    assert.ok(contrast(parse(theme.wrong), parse(theme["wrong-soft"])) >= 4.5);
  }
});

test("nothing is fetched from elsewhere", () => {
  assert.ok(!/url\(|@import|https?:/.test(sheet));
});
