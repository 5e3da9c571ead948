/** Load files of the specification. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const SPEC = join(import.meta.dirname, "../../spec");

export const load = (name: string): any => JSON.parse(readFileSync(join(SPEC, name), "utf8"));
