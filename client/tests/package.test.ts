/** The published package: its size, its form and its types. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build } from "esbuild";
import { publint } from "publint";

const client = join(import.meta.dirname, "..");
const committed = join(client, "../src/channels_token_auth/static/channels_token_auth");
const npm = join(dirname(process.execPath), "../lib/node_modules/npm/bin/npm-cli.js");
const node = (...command: string[]) =>
  execFileSync(process.execPath, command, { cwd: folder, encoding: "utf8" });
const MAX_BYTES = 5 * 1024;

let folder: string;
let tarball: Buffer;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "client-"));
  node(join(client, "build.ts"), folder);
  for (const file of ["package.json", "README.md"])
    copyFileSync(join(client, file), join(folder, file));
  const [{ filename }] = JSON.parse(node(npm, "pack", "--json", "--pack-destination", folder));
  tarball = readFileSync(join(folder, filename));
});
after(() => rmSync(folder, { recursive: true }));

test("static files are built from the sources", () => {
  const names = readdirSync(join(folder, "static"));
  const ours = readdirSync(committed).filter((name) => name.startsWith("token-socket"));
  assert.deepEqual(ours, names); // others have their files there too
  for (const name of names) {
    const [built, ours] = [join(folder, "static"), committed].map((place) =>
      readFileSync(join(place, name), "utf8"),
    );
    assert.ok(built === ours, `${name} is out of date: npm run build`);
  }
});

test("no file names a folder of the machine it was built on", () => {
  for (const name of readdirSync(committed)) {
    assert.ok(!readFileSync(join(committed, name), "utf8").includes(dirname(dirname(client))));
  }
});

test("the client has less than 5 KB with brotli", () => {
  for (const name of ["token-socket.js", "token-socket.classic.js"]) {
    const code = readFileSync(join(committed, name));
    const size = brotliCompressSync(code).length;
    assert.ok(
      size < MAX_BYTES,
      `${name}: ${size} bytes with brotli, ${gzipSync(code).length} gzip`,
    );
  }
});

test("publint finds nothing", async () => {
  const packed = new Uint8Array(tarball).buffer;
  const { messages } = await publint({ pack: { tarball: packed } });
  assert.deepEqual(messages, []);
});

test("types are right for every way to import them", async () => {
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
  assert.ok(result.types);
  assert.deepEqual(result.problems, []);
});

test("unused exports are not bundled", async () => {
  const contents = 'import { backoff } from "./dist/index.js"; console.log(backoff(1));';
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    format: "esm",
    write: false,
  });
  const { text } = outputFiles[0]!;
  assert.ok(text.length < 500, text.slice(0, 1000));
});

test("ESM and CommonJS export the same names", async () => {
  const module = await import(join(folder, "dist/index.js"));
  const common = createRequire(import.meta.url)(join(folder, "dist/index.cjs"));
  const names = ["TokenAuthError", "TokenSocket", "backoff", "subprotocol"];
  assert.deepEqual(Object.keys(module).sort(), names);
  assert.deepEqual(Object.keys(common).sort(), names);
});

test("the classic script defines the global TokenSocket, and nothing else", () => {
  const program = join(folder, "classic.cjs");
  const script = join(committed, "token-socket.classic.js");
  writeFileSync(
    program,
    `const before = new Set(Object.getOwnPropertyNames(globalThis));
     (0, eval)(require("fs").readFileSync(${JSON.stringify(script)}, "utf8"));
     console.log(Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name)).join());`,
  );
  assert.equal(node(program).trim(), "TokenSocket");
});

test("every exported name is documented", () => {
  const page = readFileSync(join(client, "../docs/how-to/front-ends/token-socket.md"), "utf8");
  const types = readFileSync(join(client, "src/index.ts"), "utf8");
  const names = [...types.matchAll(/\b([A-Z]\w+|backoff|subprotocol)\b(?=[,; ]*[}\n])/g)];
  for (const [, name] of names) assert.ok(page.includes(`\`${name}`), `token-socket.md: ${name}`);
});
