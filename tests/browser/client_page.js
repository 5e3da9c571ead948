// What a test does with the client, and what it hears of it; in a page and in a worker alike.
import { TokenSocket } from "./static/channels_token_auth/token-socket.js";

const said = [];
const asked = [];
const waiting = [];
let socket;
let asleep = 0;

/** The machine's clock, but faster; and its calendar goes on while it "sleeps". */
const clock = (speed) => ({
  now: () => Date.now() * speed + asleep,
  setTimeout: (act, milliseconds) => setTimeout(act, milliseconds / speed),
  clearTimeout: (timer) => clearTimeout(timer),
});

const say = (line) => {
  said.push(line);
  for (const resolve of waiting.splice(0)) resolve();
};

globalThis.client = {
  said,
  asked,

  /** Return when more than `count` lines were said; or after a while, for a test to look again. */
  saysMoreThan: (count) =>
    new Promise((resolve) => {
      if (said.length > count) return resolve();
      waiting.push(resolve);
      setTimeout(resolve, 10_000);
    }),

  /**
   * `tokens` are what getToken answers, one after the other; the last one for ever. `drowsy`: the
   * first wait in a row is short, and all others take hours. `hasty`: every wait is short.
   */
  open({ path = "/", tokens, speed = 1, drowsy = false, hasty = false, ...options }) {
    const getToken = ({ reason }) => {
      asked.push(reason);
      return tokens.length > 1 ? tokens.shift() : tokens[0];
    };
    if (hasty) options.backoff = () => 0.05;
    if (drowsy) options.backoff = (n) => (n === 1 ? 0.1 : 9999);
    socket = new TokenSocket(path, { getToken, clock: clock(speed), ...options });
    socket.onopen = () => say("open");
    socket.onauthenticated = ({ expiresIn, userId }) => say(`in ${expiresIn} ${userId}`);
    socket.onmessage = ({ data }) => say(`message ${data}`);
    socket.onreconnecting = ({ error }) => say(`reconnecting ${error.code}`);
    socket.onerror = ({ error }) => say(`error ${error.code} ${error.action}`);
    socket.onclose = ({ code, reason }) => say(`close ${code} ${reason}`.trim());
  },

  send: (frame) => socket.send(frame),
  close: () => socket.close(),

  sleep(seconds) {
    asleep += 1000 * seconds;
    document.dispatchEvent(new Event("visibilitychange"));
  },

  openInWorker(options) {
    const worker = new Worker("./client_page.js", { type: "module" });
    worker.onmessage = ({ data }) => say(`worker: ${data}`);
    worker.postMessage(options);
  },
};

globalThis.onmessage = ({ data }) => {
  client.open(data);
  said.push = (line) => postMessage(line);
};
