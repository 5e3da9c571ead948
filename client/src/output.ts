/** Types that a lifecycle and the code that runs it share. */
import type { Failure } from "./errors.ts";
import type { Location, Reason } from "./options.ts";

export type State =
  | "token" // waits for getToken
  | "ticket" // waits for a ticket over HTTP
  | "connecting" // waits for the opening handshake
  | "authenticating" // open, and waits for auth.ok
  | "authenticated" // the application has the socket
  | "checking" // asks over HTTP why the handshake failed
  | "waiting" // backs off
  | "closing" // closed by the page, and waits for the server's close frame
  | "closed";

export interface Rules {
  readonly location: Location;
  readonly protocols: readonly string[];
  /** Whether the client can request `check/`, which needs `authUrl`. */
  readonly canCheck: boolean;
  readonly backoff: (n: number) => number;
}

export type Output =
  | [act: "getToken", reason: Reason]
  | [act: "getTicket" | "check", token: string]
  | [act: "abort"] // the call of getToken or the request that is running
  | [act: "connect", subprotocols: string[], ticket: string | null]
  | [act: "send", text: string]
  | [act: "drop"] // close with 1000, and ignore all later events of the socket
  | [act: "message"] // pass the frame to the page
  | [act: "open"]
  | [act: "authenticated", expiresIn: number | null, userId: string | null]
  | [act: "reconnecting", wait: number, why: Failure]
  | [act: "end", code: number, reason: string, why?: Failure];

/** One function for each kind of output. */
export type Acts = {
  [Act in Output[0]]: (...rest: Output extends infer O ? Rest<O, Act> : never) => unknown;
};
type Rest<O, Act> = O extends [infer Acts, ...infer Rest]
  ? Act extends Acts
    ? Rest
    : never
  : never;
