/** Code that has to compile, and code that must not. tsc checks it; nothing runs it. */
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

// @ts-expect-error - getToken is required
new TokenSocket("/chat/", {});
// @ts-expect-error - no such location
new TokenSocket("/chat/", { getToken: () => "abc", location: "query" });

/** A class to pass to libraries that create their own WebSockets. */
export class SignedIn extends TokenSocket {
  constructor(url: string | URL, protocols: string | string[] = []) {
    super(url, { protocols, getToken: () => "abc" });
  }
}
export const implementation: typeof WebSocket = SignedIn;
