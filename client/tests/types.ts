/** What must compile, and what must not: checked by tsc, never run. */
import { type ErrorCode, TokenAuthError, TokenSocket } from "../src/index.ts";

const socket = new TokenSocket("/chat/", {
  getToken: async ({ reason, signal }) => (reason === "open" && !signal.aborted ? "abc" : null),
});

export const webSocket: WebSocket = socket;

socket.onmessage = ({ data }) => console.log(data);
socket.addEventListener("authenticated", ({ expiresIn, userId }) => {
  const seconds: number | null = expiresIn;
  const user: string | null = userId;
  console.log(seconds, user);
});
socket.addEventListener("error", ({ error }) => {
  const code: ErrorCode = error.code;
  if (error instanceof TokenAuthError && error.action === "login") console.log(code);
  // @ts-expect-error - no such code
  console.log(code === "no_such_code");
});
socket.addEventListener("close", ({ code, reason, wasClean }) =>
  console.log(code, reason, wasClean),
);

// @ts-expect-error - a token has to come from somewhere
new TokenSocket("/chat/", {});
// @ts-expect-error - no such place
new TokenSocket("/chat/", { getToken: () => "abc", location: "query" });

/** A library that makes its own WebSockets gets a class of the page's. */
export class SignedIn extends TokenSocket {
  constructor(url: string | URL, protocols: string | string[] = []) {
    super(url, { protocols, getToken: () => "abc" });
  }
}
export const implementation: typeof WebSocket = SignedIn;
