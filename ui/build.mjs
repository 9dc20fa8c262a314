// Builds the explorer's front end into src/aqqua/app/static, the same bytes from the same sources every time.
//   node build.mjs            the application      node build.mjs --out DIR   somewhere else
//   node build.mjs --tests    the unit tests, for `node --test build/tests/`
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
process.chdir(here);
const shared = { bundle: true, charset: "utf8", target: "es2022", jsx: "automatic", jsxImportSource: "preact", logLevel: "warning" };

/** A fingerprint of all sources: a Python test compares it, so that a forgotten build is noticed without node. */
function fingerprint() {
  const sum = createHash("sha256");
  const files = readdirSync("src").sort().map((name) => join("src", name));
  for (const file of [...files, "build.mjs", "package-lock.json"]) sum.update(file.replaceAll("\\", "/") + "\0").update(readFileSync(file)).update("\0");
  return sum.digest("hex").slice(0, 16);
}

async function application(out) {
  const banner = `/* aqqua explorer, Apache-2.0. Includes preact and @preact/signals (MIT, see LICENSES.txt). sources ${fingerprint()} */`;
  mkdirSync(out, { recursive: true });
  await build({ ...shared, entryPoints: ["src/main.tsx"], outfile: join(out, "app.js"), format: "iife", minify: true, legalComments: "none", banner: { js: banner } });
  await build({ ...shared, entryPoints: ["src/app.css"], outfile: join(out, "app.css"), minify: true });
  for (const name of ["index.html", "icon.svg"]) writeFileSync(join(out, name), readFileSync(join("src", name)));
  const notices = ["preact", "@preact/signals", "@preact/signals-core"].map((name) => {
    const { version, license } = JSON.parse(readFileSync(join("node_modules", name, "package.json"), "utf8"));
    return `${name} ${version} (${license})\n\n${readFileSync(join("node_modules", name, "LICENSE"), "utf8").trim()}\n`;
  });
  writeFileSync(join(out, "LICENSES.txt"), notices.join("\n" + "-".repeat(80) + "\n\n"));
}

async function tests() {
  rmSync("build/tests", { recursive: true, force: true });
  const entryPoints = readdirSync("tests").filter((name) => name.endsWith(".test.ts")).map((name) => join("tests", name));
  await build({ ...shared, entryPoints, outdir: "build/tests", outExtension: { ".js": ".mjs" }, format: "esm", platform: "node", packages: "external" });
}

const at = process.argv.indexOf("--out");
if (process.argv.includes("--tests")) await tests();
else await application(at > 0 ? process.argv[at + 1] : join(here, "../src/aqqua/app/static"));
