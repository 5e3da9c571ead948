/** The server's `auth.*` messages (spec/PROTOCOL.md, "Messages"). */

export type Message =
  | { readonly type: "application" } // a frame of the application
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

type Check = (value: unknown) => boolean;

const isSeconds: Check = (value) => Number.isInteger(value) && (value as number) >= 0;
const isSecondsOrNull: Check = (value) => value === null || isSeconds(value);
const isTextOrNull: Check = (value) => value === null || typeof value === "string";

const MESSAGES: Record<string, Record<string, Check>> = {
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

/**
 * Return the message in a frame; null if a key is missing or wrong, since clients ignore such a message.
 *
 * Most frames belong to the application. The search for `"auth.` avoids parsing these: every message
 * contains these characters, because the protocol forbids escapes in `type`.
 */
export const read = (data: unknown): Message | null => {
  if (typeof data !== "string" || !data.includes('"auth.')) return APPLICATION;
  const message = parse(data);
  const type: unknown = message?.["type"];
  if (typeof type !== "string" || !Object.hasOwn(MESSAGES, type)) return APPLICATION;
  const isComplete = Object.entries(MESSAGES[type]!).every(([key, check]) => check(message![key]));
  return isComplete ? (message as unknown as Message) : null;
};

const parse = (text: string): Record<string, unknown> | null => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};
