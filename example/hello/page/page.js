// The page: logs in, opens the socket with the token, shows what is said and why it ends.
// The token lives in this script's memory only: in no URL, no storage, and nowhere in the document.
"use strict";

(() => {
  // Served, the page talks to its own server; opened from a file, to the development server or
  // to the one in `?server=http://host:port`.
  const SERVER =
    location.protocol === "file:"
      ? new URL(new URLSearchParams(location.search).get("server") ?? "http://127.0.0.1:8000").origin
      : location.origin;
  const PROTOCOL = "token-auth.v1";
  const LOG_LINES = 200;

  // Why the server closed the socket. The code says it all: some servers lose the reason's text.
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
    4410: "the token was revoked. Log in again.",
    4413: "a message was too large.",
    4419: "the token has expired. Log in again.",
    4423: "this account is not active.",
    4429: "too many connections or attempts. Try again later.",
    4503: "the server cannot check tokens right now. Try again later.",
  };
  // After these the token is of no more use.
  const TOKEN_IS_DEAD = new Set([4401, 4409, 4410, 4419, 4423]);

  const at = (id) => document.getElementById(id);
  let token = null;
  let socket = null;

  // What the page shows

  function show(state, text) {
    document.body.dataset.state = state;
    at("status-text").textContent = text;
    at("login").hidden = token !== null;
    at("account").hidden = token === null;
    at("reconnect").hidden = socket !== null;
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
    const ws = new WebSocket(SERVER.replace(/^http/, "ws"), [PROTOCOL, `bearer.${token}`]);
    let openedAt = null;
    let heard = false;
    socket = ws;
    show("connecting", "Connecting …");
    ws.onopen = () => {
      openedAt = performance.now();
      if (ws !== socket) return;
      log("system", "Connected.");
      show("connected", "Connected.");
      at("text").focus();
    };
    ws.onmessage = ({ data }) => {
      const message = parsed(data);
      heard ||= message?.type !== "auth.error"; // that one only comes before its close
      // These types belong to the authentication, not to the conversation.
      log(String(message?.type).startsWith("auth.") ? "system" : "received", message);
    };
    ws.onclose = async ({ code }) => {
      if (ws !== socket) return; // signed out: nobody waits for it any more
      // A refusal that can carry a code is a socket that opens and closes at once.
      const refused = openedAt === null || (code >= 4000 && !heard && performance.now() - openedAt < 2000);
      if (openedAt === null && !(await serverAnswers())) {
        if (ws === socket) ended("unreachable", `No server answers at ${SERVER}.`);
      } else if (ws === socket) {
        if (TOKEN_IS_DEAD.has(code)) token = null;
        ended(refused ? "refused" : "closed", `${refused ? "Refused" : "Closed"}: ${why(code, openedAt)}`);
      }
    };
  }

  function ended(state, text) {
    socket = null;
    log("system", text);
    show(state, text);
    (token === null ? at("username") : at("reconnect")).focus();
  }

  function why(code, openedAt) {
    if (code === 1006 && openedAt === null) return "the server accepts no socket from this page.";
    return REASONS[code] ?? `code ${code}.`;
  }

  // 1006 before the socket opened is all that a browser tells, whatever happened.
  function serverAnswers() {
    return fetch(`${SERVER}/`, { mode: "no-cors", cache: "no-store", credentials: "omit" }).then(
      () => true,
      () => false,
    );
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
    const ws = socket;
    token = socket = null;
    ws?.close(1000);
    log("system", "Signed out.");
    show("idle", "Signed out.");
    at("username").focus();
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
  at("reconnect").addEventListener("click", connect);
  at("sign-out").addEventListener("click", signOut);
})();
