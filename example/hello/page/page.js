// The page: logs in, opens a socket that keeps itself signed in, shows what is said and how it fares.
// The token lives in this script's memory only: in no URL, no storage, and nowhere in the document.
"use strict";

(() => {
  // Served, the page talks to its own server; opened from a file, to the development server or
  // to the one in `?server=http://host:port`.
  const SERVER =
    location.protocol === "file:"
      ? new URL(new URLSearchParams(location.search).get("server") ?? "http://127.0.0.1:8000").origin
      : location.origin;
  const LOG_LINES = 200;

  // Why there is no line, or none any more. The code says it all: some servers lose the reason's text.
  const REASONS = {
    1000: "the server ended the conversation.",
    1001: "the server is going away.",
    1006: "the connection was lost.",
    1009: "a message was too large.",
    1011: "the server failed.",
    1012: "the server is restarting.",
    1013: "the server is too busy.",
    4400: "the server did not understand the login of the socket.",
    4401: "the token is not valid. Log in again.",
    4403: "this account may not do that.",
    4408: "the login of the socket took too long.",
    4409: "the account changed. Log in again.",
    4410: "you were signed out elsewhere. Log in again.",
    4413: "a message was too large.",
    4419: "the token has expired. Log in again.",
    4423: "this account is not active.",
    4429: "too many connections or attempts.",
    4503: "the server cannot check tokens right now.",
  };
  // After these the token is of no more use.
  const TOKEN_IS_DEAD = new Set([4401, 4409, 4410, 4419, 4423]);

  // A page in a folder has the client beside it, in the checkout.
  if (location.protocol === "file:") {
    const script = document.createElement("script");
    script.src = "../../../src/channels_token_auth/static/channels_token_auth/token-socket.classic.js";
    document.head.append(script);
  }

  const at = (id) => document.getElementById(id);
  let token = null;
  let socket = null;
  let ticking = null; // what is counted down: until the next attempt, or until the login ends

  // What the page shows

  function show(state, text) {
    document.body.dataset.state = state;
    at("status-text").textContent = text;
    at("login").hidden = token !== null;
    at("account").hidden = token === null;
    at("reconnect").hidden = !["waiting", "refused", "closed"].includes(state);
    at("text").disabled = at("send").disabled = state !== "connected";
  }

  // A message is shown as JSON on one line with no letter escaped, however its sender wrote it.
  function log(kind, message) {
    const time = document.createElement("small");
    const who = { sent: "You, ", received: "Server, ", system: "" }[kind];
    time.textContent = who + new Date().toLocaleTimeString();
    const body = document.createElement(kind === "system" ? "span" : "code");
    const text = typeof message === "string" ? message : JSON.stringify(message, null, 1);
    body.textContent = text.replace(/\n */g, " ");
    const line = document.createElement("li");
    line.className = kind;
    line.append(time, body);
    at("log").append(line);
    while (at("log").children.length > LOG_LINES) at("log").firstChild.remove();
    at("log").scrollTop = at("log").scrollHeight;
  }

  // Logging in

  async function logIn(form) {
    const fields = new URLSearchParams(new FormData(form));
    let response;
    try {
      response = await fetch(`${SERVER}/api/login/`, {
        method: "POST",
        body: fields,
        credentials: "omit",
      });
    } catch {
      show("unreachable", `No server answers at ${SERVER}.`);
      return;
    }
    const answer = Object(await response.json().catch(() => null));
    if (typeof answer.token !== "string") {
      show("refused", loginRefusal(response, answer));
      at("password").select();
      return;
    }
    token = answer.token;
    at("who").textContent = fields.get("username");
    form.reset();
    connect();
  }

  function loginRefusal(response, answer) {
    // Also 400: a username that nobody could have.
    if ("user_not_found" in answer || response.status === 400) return "Wrong username or password.";
    if (response.status === 429) {
      const seconds = response.headers.get("Retry-After");
      return seconds ? `Too many attempts. Try again in ${seconds} s.` : "Too many attempts.";
    }
    return `The server did not log you in (HTTP ${response.status}).`;
  }

  // The socket

  function connect() {
    let hasOpened = false;
    const mine = new TokenSocket(SERVER.replace(/^http/, "ws"), {
      getToken: () => token, // this server's tokens have no end, and no fresher ones
      authUrl: `${SERVER}/auth/`,
    });
    const when = (type, act) =>
      mine.addEventListener(type, (event) => {
        if (mine === socket) act(event); // else signed out: nobody waits for it any more
      });
    socket = mine;
    show("connecting", "Connecting …");
    when("open", () => {
      count();
      log("system", "Connected.");
      show("connected", "Connected.");
      if (!hasOpened) at("text").focus();
      hasOpened = true;
    });
    when("authenticated", ({ expiresIn }) => {
      if (at("left").textContent) log("system", "Signed in anew.");
      if (expiresIn === null) return;
      count(expiresIn, (time) => {
        at("left").textContent = ` ${time} left.`;
      });
    });
    when("message", ({ data }) => log("received", parsed(data)));
    when("reconnecting", ({ wait, error }) => {
      const text = why(error.closeCode);
      log("system", `Lost: ${text}`);
      count(wait, (time, isOver) => {
        const next = isOver ? "Reconnecting …" : `Reconnecting in ${time}.`;
        show(isOver ? "connecting" : "waiting", sentence(`${text} ${next}`));
      });
    });
    when("error", ({ error }) => {
      const { closeCode } = error;
      if (TOKEN_IS_DEAD.has(closeCode)) token = null;
      ended(hasOpened ? "closed" : "refused", why(closeCode));
    });
  }

  function ended(state, text) {
    count();
    socket = null;
    log("system", sentence(`${state}: ${text}`));
    show(state, sentence(`${state}: ${text}`));
    (token === null ? at("username") : at("reconnect")).focus();
  }

  const why = (code) => REASONS[code] ?? `code ${code}.`;
  const sentence = (text) => text[0].toUpperCase() + text.slice(1);

  // Tells the time left, now and every second, until it is over.
  function count(seconds = null, tell = () => {}) {
    clearTimeout(ticking);
    at("left").textContent = "";
    if (seconds === null) return;
    const end = Date.now() + 1000 * seconds;
    const tick = () => {
      const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      const time = left < 60 ? `${left} s` : `${Math.floor(left / 60)} min`;
      tell(time, left === 0);
      if (left > 0) ticking = setTimeout(tick, 1000);
    };
    tick();
  }

  function parsed(data) {
    try {
      return JSON.parse(data);
    } catch {
      return data;
    }
  }

  function say(text) {
    const message = { command: "Say hello !", data_string: text };
    socket.send(JSON.stringify(message));
    log("sent", message);
  }

  function signOut() {
    token = null;
    leave();
    log("system", "Signed out.");
    show("idle", "Signed out.");
    at("username").focus();
  }

  async function signOutElsewhere({ target: button }) {
    button.disabled = true;
    leave(); // this socket's token is about to end too: whoever stays gets a new one
    show("connecting", "Signing out everywhere else …");
    const answer = await fetch(`${SERVER}/api/sign-out-everywhere-else/`, {
      method: "POST",
      headers: { Authorization: `Bearer ${token}` },
      credentials: "omit",
    })
      .then((response) => response.json())
      .catch(() => null);
    button.disabled = false;
    if (token === null) return; // signed out meanwhile
    if (typeof answer?.token === "string") {
      token = answer.token;
      log("system", "Signed out everywhere else.");
    }
    connect();
  }

  function leave() {
    const old = socket;
    socket = null;
    count();
    old?.close(1000);
  }

  // What the user does

  at("login").addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter ?? event.target.querySelector("button");
    if (button.disabled) return;
    button.disabled = true;
    show("connecting", "Logging in …");
    await logIn(event.target);
    button.disabled = false;
  });
  at("say").addEventListener("submit", (event) => {
    event.preventDefault();
    say(at("text").value);
    at("text").select(); // to type another, or to send it again
  });
  at("reconnect").addEventListener("click", () => (socket ? socket.reconnect() : connect()));
  at("sign-out").addEventListener("click", signOut);
  at("sign-out-elsewhere").addEventListener("click", signOutElsewhere);
})();
