import assert from "node:assert/strict";
import { test } from "node:test";

import { categorical, continuous, contrast, css, GROUND, mix, oklabToRgb, parse, rgbToOklab, word, type Rgb, type Theme } from "../src/colour.ts";

const THEMES: Theme[] = ["light", "dark"];
const apart = (a: Rgb, b: Rgb) => Math.hypot(...rgbToOklab(a).map((v, i) => v - rgbToOklab(b)[i]));

/** Dichromat simulation of Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB. */
const MACHADO = {
  protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
};

function seenBy(rgb: Rgb, matrix: number[][]): Rgb {
  const linear = rgb.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return matrix.map((row) => {
    const v = Math.max(0, Math.min(1, row.reduce((s, m, i) => s + m * linear[i], 0)));
    return Math.round(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055));
  }) as Rgb;
}

test("the first six categories are told apart by readers without red or green cones", () => {
  for (const theme of THEMES)
    for (const matrix of Object.values(MACHADO))
      for (let i = 0; i < 6; i++)
        for (let j = 0; j < i; j++) {
          const d = apart(seenBy(categorical(i, theme), matrix), seenBy(categorical(j, theme), matrix));
          assert.ok(d > 0.055, `${theme} ${j} ${i}: ${d.toFixed(3)}`);
        }
});

test("twenty categories differ for most readers, and each stands out from the map", () => {
  for (const theme of THEMES)
    for (let i = 0; i < 20; i++) {
      for (let j = 0; j < i; j++) assert.ok(apart(categorical(i, theme), categorical(j, theme)) > 0.03, `${theme} ${j} ${i}`);
      assert.ok(contrast(categorical(i, theme), GROUND[theme]) > (i < 10 ? 2.9 : 1.5), `${theme} ${i} ${contrast(categorical(i, theme), GROUND[theme]).toFixed(2)}`);
    }
});

test("the ramp's lightness runs in even steps, towards what stands out more", () => {
  for (const theme of THEMES) {
    const light = Array.from({ length: 41 }, (_, i) => rgbToOklab(continuous(i / 40, theme))[0]);
    const steps = light.slice(1).map((v, i) => v - light[i]);
    const mean = (light[40] - light[0]) / 40;
    assert.ok(theme === "light" ? mean < 0 : mean > 0);
    for (const step of steps) assert.ok(Math.abs(step - mean) < 0.45 * Math.abs(mean), `${theme}: ${step} ${mean}`);
  }
});

test("the ramp is clamped at its ends", () => {
  assert.deepEqual(continuous(-1, "dark"), continuous(0, "dark"));
  assert.deepEqual(continuous(7, "dark"), continuous(1, "dark"));
});

test("OKLab there and back again", () => {
  for (const rgb of [[0, 0, 0], [255, 255, 255], [31, 111, 180], [200, 30, 90]] as Rgb[]) assert.deepEqual(oklabToRgb(...rgbToOklab(rgb)), rgb);
});

test("words are little-endian ABGR", () => {
  assert.equal(word([0x11, 0x22, 0x33]), 0xff332211);
  assert.deepEqual(parse("#112233"), [0x11, 0x22, 0x33]);
  assert.equal(css([1, 2, 3]), "rgb(1,2,3)");
  assert.equal(css([1, 2, 3], 0.5), "rgba(1,2,3,0.5)");
  assert.deepEqual(mix([0, 0, 0], [100, 200, 50], 0.5), [50, 100, 25]);
});

test("contrast is the one of WCAG 2", () => {
  assert.equal(contrast([0, 0, 0], [255, 255, 255]), 21);
  assert.ok(Math.abs(contrast([118, 118, 118], [255, 255, 255]) - 4.54) < 0.01);
});
