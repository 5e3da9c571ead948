/** Why a socket is refused or closed, and what a client does: the table of spec/close_codes.json. */

/** `stop`: trying again does not help. `login`: nor does it, until the user has logged in again. */
export type Action = "stop" | "login" | "refresh" | "back_off";

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
  unavailable: 4503,
} as const;

const ACTIONS: Record<number, Action> = {
  4401: "login",
  4408: "back_off",
  4410: "login",
  4419: "refresh",
  4429: "back_off",
};

/** The stable name of a reason of the server's. */
export type Slug = keyof typeof TABLE;

const slugs = /* @__PURE__ */ Object.keys(TABLE) as Slug[];

export const isSlug = (name: unknown): name is Slug => slugs.includes(name as Slug);

export const closeCodeOf = (slug: Slug): number => TABLE[slug];

/** The name of a code: the one that the server said, if it is one of the code's; else the first. */
export const slugOf = (code: number, said: unknown): Slug | undefined => {
  const fits = slugs.filter((slug) => TABLE[slug] === code);
  return fits.find((slug) => slug === said) ?? fits[0];
};

/** What a client does on a close code, known or not. */
export const actionOf = (code: number): Action =>
  ACTIONS[code] ?? (code >= 4400 && code < 4500 ? "stop" : "back_off");
