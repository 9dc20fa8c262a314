import assert from "node:assert/strict";
import { test } from "node:test";

import { area, count, field, length, millis, number, percent, plural, position, time, title, unitOf, words } from "../src/format.ts";

const plain = (text: string) => text.replace(/\u202f/g, " ");

test("counts have thin spaces between thousands", () => {
  assert.equal(plain(count(0)), "0");
  assert.equal(plain(count(999)), "999");
  assert.equal(plain(count(30336)), "30 336");
  assert.equal(plain(count(1234567)), "1 234 567");
  assert.equal(plural(1, "image"), "1 image");
  assert.equal(plain(plural(2000, "image")), "2 000 images");
});

test("numbers keep about as many digits as they have", () => {
  assert.equal(number(0.28134), "0.2813");
  assert.equal(number(12.3456, 3), "12.3");
  assert.equal(number(298.16), "298.2");
  assert.equal(number(-4.5), "\u22124.5");
  assert.equal(plain(number(12345)), "12 345");
  assert.equal(plain(number(-12345)), "\u221212 345");
  assert.equal(number(0), "0");
  assert.equal(number(NaN), "–");
  assert.equal(plain(number(3.2e-7, 3)), "3.2 × 10⁻⁷");
});

test("lengths change their unit, never their value", () => {
  for (const [um, text] of [[0.2, "200 nm"], [0.5544, "0.554 µm"], [10.6, "10.6 µm"], [999, "999 µm"], [1000, "1 mm"], [28_220, "28.2 mm"], [123_000, "12.3 cm"]] as const)
    assert.equal(plain(length(um)), text);
  assert.equal(plain(area(3400, 4624)), "3.4 × 4.62 mm");
  assert.equal(plain(area(90, 40)), "90 × 40 µm");
});

test("times are UTC whatever the reader's clock says", () => {
  assert.equal(time("2014-05-31T12:04:33Z"), "2014-05-31 12:04:33 UTC");
  assert.equal(time("2014-05-31T12:04:33"), "2014-05-31 12:04:33 UTC");
  assert.equal(time("2014-05-31 12:04:33"), "2014-05-31 12:04:33 UTC");
  assert.equal(time(0, true), "1970-01-01");
  assert.equal(time("2014-05-31T14:04:33+02:00"), "2014-05-31 12:04:33 UTC");
  assert.equal(time("never"), "–");
  assert.equal(millis("2014-05-31"), Date.UTC(2014, 4, 31));
});

test("fields carry their unit, also where the server names none", () => {
  assert.equal(plain(field("latitude", -25.70341)), "25.7034° S".replace("° ", "° "));
  assert.equal(plain(field("depth_min_m", 12.5)), "12.5 m");
  assert.equal(plain(field("pixel_um", 68)), "68 µm");
  assert.equal(plain(field("pixel_um", 68, "um/px")), "68 µm/px");
  assert.equal(plain(field("width", 50)), "50 px");
  assert.equal(plain(field("volume_l", 12.3, "L")), "12.3 L");
  assert.equal(field("subsample_factor", 128, "1"), "128");
  assert.equal(field("sample_id", "a_1"), "a_1");
  assert.equal(field("depth_min_m", null), "–");
  assert.equal(field("x", true), "yes");
  assert.equal(unitOf({ name: "outlier", unit: null }), "");
});

test("positions, shares, labels and titles are readable", () => {
  assert.equal(plain(position(-80.1, "E", "W")), "80.1000° W");
  assert.equal(plain(percent(0.999)), ">99 %");
  assert.equal(plain(percent(0.001)), "<1 %");
  assert.equal(plain(percent(1)), "100 %");
  assert.equal(words("copepod_calanoid__large"), "copepod calanoid large");
  assert.equal(title("depth_min_m"), "Depth (top)");
  assert.equal(title("sampling_gear"), "Sampling gear");
});
