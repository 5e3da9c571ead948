/** A WebSocket that keeps its token fresh and reconnects, for Django Channels and channels-token-auth. */
export { backoff } from "./backoff.ts";
export type { Clock } from "./clock.ts";
export type { Action, Slug } from "./close-codes.ts";
export { subprotocol } from "./credential.ts";
export { type ErrorCode, TokenAuthError } from "./errors.ts";
export type {
  AuthenticatedEvent,
  ReconnectingEvent,
  TokenErrorEvent,
  TokenSocketEventMap,
} from "./events.ts";
export type { Location, Reason, TokenRequest, TokenSocketOptions } from "./options.ts";
export { TokenSocket } from "./token-socket.ts";
