/** What a lifecycle and the code that runs it exchange. */
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
  /** Whether there is a `check/` to ask. */
  readonly canCheck: boolean;
  readonly backoff: (n: number) => number;
}

export type Output =
  | [act: "getToken", reason: Reason]
  | [act: "getTicket" | "check", token: string]
  | [act: "abort"] // whichever of these is running
  | [act: "connect", subprotocols: string[], ticket: string | null]
  | [act: "send", text: string]
  | [act: "drop"] // close with 1000, and ignore whatever still arrives
  | [act: "message"] // the frame belongs to the application
  | [act: "open"]
  | [act: "authenticated", expiresIn: number | null, userId: string | null]
  | [act: "reconnecting", wait: number, why: Failure]
  | [act: "end", code: number, reason: string, why?: Failure];
