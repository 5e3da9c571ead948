/** Run a lifecycle with the events of spec/vectors/client.json, and report in the words of the vectors. */
import { Lifecycle } from "../src/lifecycle.ts";
import type { Output } from "../src/output.ts";

export interface Step {
  readonly at: number;
  readonly event: string;
  readonly with?: any;
  readonly state?: string;
  readonly does?: unknown[];
}

export interface Sequence {
  readonly name: string;
  readonly rules?: Record<string, any>;
  readonly steps: Step[];
}

const answer = (given: any) => ({
  status: given.status,
  slug: given.code,
  retryAfter: given.retry_after ?? 0,
});

const EVENTS: Record<string, (life: Lifecycle, given: any) => void> = {
  start: (life) => life.start(),
  token: (life, given) => life.token(given),
  token_failed: (life) => life.tokenFailed(new Error("offline")),
  ticket: (life, given) => life.ticket(given),
  refused: (life, given) => life.refused(answer(given)),
  checked: (life, given) => life.checked(answer(given)),
  opened: (life, given) => life.opened(given),
  frame: (life, given) => life.frame(given),
  closed: (life, given) => life.closed(given.code, given.reason),
  tick: (life) => life.tick(),
  wake: (life) => life.wake(),
  sent: (life) => life.sent(),
  close: (life, given) => life.close(given?.code, given?.reason),
};

const inWords = (output: Output): unknown => {
  switch (output[0]) {
    case "getToken":
      return ["get_token", output[1]];
    case "getTicket":
      return ["get_ticket", output[1]];
    case "send":
      return ["send", JSON.parse(output[1])];
    case "reconnecting":
      return ["reconnecting", output[1], output[2].code];
    case "end":
      return ["end", output[1], output[3]?.code ?? null];
    default:
      return output;
  }
};

/** Return the steps with the state and the outputs that followed. */
export const live = (rules: Record<string, any>, steps: Step[]): Step[] => {
  const does: Output[] = [];
  const life = new Lifecycle(
    {
      location: rules["location"],
      protocols: rules["protocols"],
      canCheck: rules["can_check"],
      backoff: (n) => n,
    },
    (...output) => does.push(output),
  );
  return steps.map((step) => {
    life.now = step.at;
    EVENTS[step.event]!(life, step.with);
    const { at, event } = step;
    const given = "with" in step ? { with: step.with } : {};
    return { at, event, ...given, state: life.state, does: does.splice(0).map(inWords) };
  });
};
