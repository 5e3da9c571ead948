/** The server's `auth.*` messages (spec/PROTOCOL.md, "Messages"). */

export type Message =
  | { readonly type: "application" } // none of ours
  | { readonly type: "auth.required"; readonly timeout: number }
  | {
      readonly type: "auth.ok";
      readonly expires_in: number | null;
      readonly user_id: string | null;
    }
  | { readonly type: "auth.expiring"; readonly expires_in: number }
  | {
      readonly type: "auth.error";
      readonly code: string;
      readonly retry: boolean;
      readonly retry_after: number | null;
    }
  | { readonly type: "auth.pong" };

type Fits = (value: unknown) => boolean;

const isSeconds: Fits = (value) => Number.isInteger(value) && (value as number) >= 0;
const isSecondsOrNull: Fits = (value) => value === null || isSeconds(value);
const isTextOrNull: Fits = (value) => value === null || typeof value === "string";

const MESSAGES: Record<string, Record<string, Fits>> = {
  "auth.required": { timeout: isSeconds },
  "auth.ok": {
    expires_in: isSecondsOrNull,
    user_id: isTextOrNull,
  },
  "auth.expiring": { expires_in: isSeconds },
  "auth.error": {
    code: (value) => typeof value === "string" && /^[a-z_]{1,40}$/.test(value),
    retry: (value) => typeof value === "boolean",
    retry_after: isSecondsOrNull,
  },
  "auth.pong": {},
};

export const APPLICATION: Message = { type: "application" };

/** The message in a frame; null where it is to be ignored. */
export const read = (data: unknown): Message | null => {
  if (typeof data !== "string" || !data.includes('"auth.')) return APPLICATION;
  const message = parsed(data);
  const type: unknown = message?.["type"];
  if (typeof type !== "string" || !Object.hasOwn(MESSAGES, type)) return APPLICATION;
  const isWhole = Object.entries(MESSAGES[type]!).every(([key, fits]) => fits(message![key]));
  return isWhole ? (message as unknown as Message) : null;
};

const parsed = (text: string): Record<string, unknown> | null => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
