/** Builds what is published: `npm run build`, or `node build.ts FOLDER` to build it elsewhere.
 *
 * - `dist`: the npm package, which is not minified, with types.
 * - `static`: the files for `{% static %}`, minified, with source maps: a module, and a classic script for
 *   pages without modules.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { type BuildOptions, build } from "esbuild";

const here = import.meta.dirname;
const elsewhere = process.argv[2];
const dist = join(elsewhere ?? here, "dist");
const assets = elsewhere
  ? join(elsewhere, "static")
  : join(here, "../src/channels_token_auth/static/channels_token_auth");
const tsc = join(here, "node_modules/typescript/bin/tsc");
const banner = "/*! channels-token-auth, BSD-3-Clause */";
const modules = ["backoff", "clock", "close-codes", "credential", "errors", "events", "options"];

// Members of the client's own classes, which no page, message or browser uses: short names save 200 bytes.
const internal = new RegExp(
  "^(_.+|hasMessages|canCheck|since|answerBy|endsAt|renewAt|presented|received|progressed|pingAt|pinged|" +
    "admitted|expiring|settled|waits|defer|delay|isOld|isAtOnce|nextTick)$",
);
const minify = { minify: true, mangleProps: internal };

const bundle = async (entry: string, outfile: string, options: BuildOptions) => {
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: [`src/${entry}.ts`],
    outfile: join(here, "dist", basename(outfile)), // the paths in the source map are relative to it
    write: false,
    bundle: true,
    target: "es2022",
    sourcemap: true,
    banner: { js: banner },
    ...options,
  });
  mkdirSync(dirname(outfile), { recursive: true });
  for (const { path, text } of outputFiles!) {
    writeFileSync(join(dirname(outfile), basename(path)), text);
  }
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
copyFileSync(join(here, "../LICENSE"), join(dist, "LICENSE"));
await bundle("index", join(dist, "index.js"), { format: "esm" });
await bundle("index", join(dist, "index.cjs"), { format: "cjs", platform: "node" });
await bundle("index", join(assets, "token-socket.js"), { format: "esm", ...minify });
await bundle("classic", join(assets, "token-socket.classic.js"), { format: "iife", ...minify });
for (const extension of ["ts", "cts"]) writeFileSync(join(dist, `index.d.${extension}`), types());

/** Return the types of all modules as one file, which is valid for both ESM and CommonJS. */
function types(): string {
  const folder = mkdtempSync(join(tmpdir(), "types-"));
  try {
    execFileSync(process.execPath, [tsc, "--outDir", folder], { cwd: here });
    const read = (name: string) => readFileSync(join(folder, `${name}.d.ts`), "utf8");
    const inner = [...modules, "token-socket"]
      .map((name) =>
        read(name)
          .replace(/^(import .*|export \{\};)\n/gm, "")
          .replace(/^export /gm, ""),
      )
      .join("");
    return inner + read("index").replace(/ from ".*";/g, ";");
  } finally {
    rmSync(folder, { recursive: true });
  }
}
