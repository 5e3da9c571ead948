/** Close codes: why the server denied or closed a socket, and what the client does next.
 *
 * The table comes from spec/close_codes.json, the single source for all languages. To change it, edit
 * that file and run `python -m spec.generate`.
 */

/**
 * `stop`: trying again does not help. `login`: the user has to log in first. `refresh`: reconnect at
 * once with a fresh token. `back_off`: reconnect after a wait, which grows each time.
 */
export type Action = "stop" | "login" | "refresh" | "back_off";

// close-codes:typescript, written by `python -m spec.generate`
const TABLE = {
  malformed: 4400,
  token_missing: 4401,
  token_invalid: 4401,
  forbidden: 4403,
  auth_timeout: 4408,
  identity_changed: 4409,
  token_revoked: 4410,
  too_large: 4413,
  token_expired: 4419,
  user_inactive: 4423,
  rate_limited: 4429,
  connection_limit: 4429,
  application_failed: 4500,
  unavailable: 4503,
} as const;

// Every other code: stop from 4400 to 4499, else back off.
const ACTIONS: Record<number, Action> = {
  4401: "login",
  4408: "back_off",
  4410: "login",
  4419: "refresh",
  4429: "back_off",
};
// close-codes:end

/** The stable name of the reason for which the server denied or closed a socket. */
export type Slug = keyof typeof TABLE;

const slugs = /* @__PURE__ */ Object.keys(TABLE) as Slug[];

/** Return whether a value is a known slug. */
export const isSlug = (name: unknown): name is Slug => slugs.includes(name as Slug);

/** Return the close code of a slug. */
export const closeCodeOf = (slug: Slug): number => TABLE[slug];

/**
 * Return the slug for a close code. If two slugs share the code, prefer the one in `named`: the server
 * names it in the last `auth.error` and in the close frame, but some servers (daphne) send no text there.
 */
export const slugOf = (code: number, ...named: unknown[]): Slug | undefined => {
  const fits = slugs.filter((slug) => TABLE[slug] === code);
  return fits.find((slug) => named.includes(slug)) ?? fits.at(-1);
};

/** Return what a client does after a close code, known or not. */
export const actionOf = (code: number): Action =>
  ACTIONS[code] ?? (code >= 4400 && code < 4500 ? "stop" : "back_off");
