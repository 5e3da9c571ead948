/** The words between a lifecycle and what drives it. */
import type { Ending } from "./errors.ts";
import type { Location, Reason } from "./options.ts";

export type State =
  | "token" // awaits getToken
  | "ticket" // awaits a ticket over HTTP
  | "connecting" // awaits the opening handshake
  | "authenticating" // open, and awaits auth.ok
  | "authenticated" // the application has the socket
  | "checking" // asks over HTTP why there was no handshake
  | "waiting" // backs off
  | "closing" // closed by the page, and awaits the server's answer
  | "closed";

export interface Rules {
  readonly location: Location;
  readonly protocols: readonly string[];
  /** Whether there is a `check/` to ask. */
  readonly canCheck: boolean;
  readonly backoff: (n: number) => number;
}

export type Output =
  | [act: "getToken", reason: Reason]
  | [act: "getTicket" | "check", token: string]
  | [act: "abort"] // whichever of these runs
  | [act: "dial", subprotocols: string[], ticket: string | null]
  | [act: "send", text: string]
  | [act: "drop"] // close with 1000, and hear nothing more of it
  | [act: "message"] // the frame is the application's
  | [act: "open"]
  | [act: "authenticated", expiresIn: number | null, userId: string | null]
  | [act: "reconnecting", wait: number, why: Ending]
  | [act: "end", code: number, reason: string, why?: Ending];
