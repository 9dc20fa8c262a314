import assert from "node:assert/strict";
import { test } from "node:test";

import { describe, expression, isOn, setRange, toggle, without, type Filters } from "../src/filters.ts";
import { decode, encode, type UrlState } from "../src/urlstate.ts";
import type { Column } from "../src/types.ts";

const taxon: Column = { name: "taxon", kind: "category" };
const depth: Column = { name: "depth_min_m", kind: "number", unit: "m" };

test("categories are ticked and unticked; the last one gone, the filter goes", () => {
  let filters: Filters = {};
  filters = toggle(filters, "taxon", "Calanoida");
  filters = toggle(filters, "taxon", null);
  assert.ok(isOn(filters, "taxon", "Calanoida") && isOn(filters, "taxon", null) && !isOn(filters, "taxon", "Oithona"));
  assert.deepEqual(expression(filters), { or: [{ in: ["taxon", ["Calanoida"]] }, { missing: "taxon" }] });
  filters = toggle(filters, "taxon", "Calanoida");
  assert.deepEqual(expression(filters), { missing: "taxon" });
  assert.deepEqual(toggle(filters, "taxon", null), {});
});

test("a range open at both ends is no filter", () => {
  const filters = setRange({}, "depth_min_m", 10, null);
  assert.deepEqual(expression(filters), { range: ["depth_min_m", 10, null] });
  assert.deepEqual(setRange(filters, "depth_min_m", null, null), {});
});

test("clauses are joined by and; a histogram leaves out its own", () => {
  const filters = setRange(toggle({}, "taxon", "A"), "depth_min_m", 0, 5);
  assert.deepEqual(expression(filters), { and: [{ in: ["taxon", ["A"]] }, { range: ["depth_min_m", 0, 5] }] });
  assert.deepEqual(expression(filters, "taxon"), { range: ["depth_min_m", 0, 5] });
  assert.equal(expression(without(without(filters, "taxon"), "depth_min_m")), null);
});

test("chips say what is filtered, with units", () => {
  assert.equal(describe(taxon, { values: ["copepod_calanoid"] }), "Taxon: copepod calanoid");
  assert.equal(describe(taxon, { values: ["a", "b", "c"] }), "Taxon: a + 2 more");
  assert.equal(describe(taxon, { values: ["a"], missing: true }), "Taxon: a or missing");
  assert.equal(describe(depth, { low: 20, high: 90 }), "Depth (top) 20 – 90\u202fm");
  assert.equal(describe(depth, { low: 20, high: null }), "Depth (top) ≥ 20\u202fm");
  assert.equal(describe({ name: "time_utc", kind: "time" }, { low: null, high: "2014-06-01T00:00:00Z" }), "Time ≤ 2014-06-01");
});

const whole: UrlState = {
  store: "cruise", colour: "taxon", view: { x: 1.25, y: -3.5, scale: 120 }, filters: { taxon: { values: ["a&b=c#d", "é, x"], missing: true }, depth_min_m: { low: null, high: 3 } },
  polygon: [[0, 1], [2.5, 3], [-1e-7, 4]], item: "18446744073709551615", similar: ["1", "2"], sort: "outlier", descending: true,
};

test("the whole state survives the URL", () => {
  assert.deepEqual(decode("#" + encode(whole)), whole);
});

test("an empty hash is an empty state", () => {
  assert.equal(encode({ filters: {} }), "");
  assert.deepEqual(Object.entries(decode("")).filter(([, v]) => v !== undefined), [["filters", {}]]);
});

test("rubbish in the hash is left out, never thrown", () => {
  for (const hash of ["#view=1,2", "#view=1,2,-3", "#view=a,b,c", "#view=1,2,3,4", "#filter={", "#filter=[1]", "#filter=%7B%22a%22%3A3%7D", '#filter={"a":{"values":[{}]}}', '#filter={"a":{"low":null,"high":null}}',
    "#polygon=1,2;3,4", "#polygon=1,2;3,4;5", "#polygon=" + "1,2;".repeat(500), "#item=../../etc", "#similar=1,x", "#%E0%A4%A"]) {
    const read = decode(hash);
    assert.deepEqual([read.view, read.polygon, read.item, read.similar, read.filters], [undefined, undefined, undefined, undefined, {}], hash);
  }
});
