// The page: logs in, opens a socket that keeps itself signed in, and shows the state of both.
// The token is in this script's memory only: in no URL, no storage, and nowhere in the document.
"use strict";

(() => {
  // Served, the page talks to its own server; opened from a file, to the development server or
  // to the one in `?server=http://host:port`.
  const SERVER =
    location.protocol === "file:"
      ? new URL(new URLSearchParams(location.search).get("server") ?? "http://127.0.0.1:8000").origin
      : location.origin;

  // By close code: some servers lose the reason's text.
  const REASONS = {
    1000: "The server ended the conversation.",
    1001: "The server is going away.",
    1006: "The connection was lost.",
    1009: "A message was too large.",
    1011: "The server failed.",
    1012: "The server is restarting.",
    1013: "The server is too busy.",
    4400: "The server did not understand the login of the socket.",
    4401: "The token is not valid. Log in again.",
    4403: "This account may not do that.",
    4408: "The login of the socket took too long.",
    4409: "The account changed. Log in again.",
    4410: "Your session was ended. Log in again.",
    4413: "A message was too large.",
    4419: "The token has expired. Log in again.",
    4423: "This account is not active.",
    4429: "Too many connections or attempts.",
    4500: "The server failed.",
    4503: "The server cannot check tokens right now.",
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
  let ticking = null; // the timer of what is counted down
  let hint = ""; // whom to log in as, on a development server

  // What the page shows

  function show(state, text, time = "") {
    const focused = document.activeElement;
    document.body.dataset.state = state;
    if (at("status-text").textContent !== text) at("status-text").textContent = text;
    at("status-time").textContent = time && ` ${time}`;
    at("login").hidden = at("demo-users").hidden = token !== null;
    at("demo-list").textContent = token === null ? hint : ""; // no password stays on the page
    at("account").hidden = token === null;
    at("reconnect").hidden = !["waiting", "closed"].includes(state);
    at("text").disabled = token === null;
    // Not `disabled`: that would take the focus away from whoever is about to press it again.
    at("send").ariaDisabled = state !== "connected";
    if (focused?.closest("[hidden], :disabled")) moveFocus();
  }

  const moveFocus = () => at(token === null ? "username" : "text").focus();

  // While it is busy, a button keeps the focus and does nothing.
  const whileIdle = (id, act) => async (event) => {
    event.preventDefault();
    const button = at(id);
    if (button.ariaDisabled === "true") return;
    button.ariaDisabled = true;
    await act(event.target);
    button.ariaDisabled = false;
  };

  // Requests

  // Returns the status (0: no server answered), the answer's object and its Retry-After.
  async function request(path, options) {
    try {
      const response = await fetch(SERVER + path, { credentials: "omit", ...options });
      const answer = Object(await response.json().catch(() => null));
      return { status: response.status, answer, wait: response.headers.get("Retry-After") };
    } catch {
      return { status: 0, answer: {}, wait: null };
    }
  }

  const tooMany = (wait) => `Too many attempts.${wait ? ` Try again in ${wait} s.` : ""}`;

  async function logIn(form) {
    show("connecting", "Logging in …");
    const fields = new URLSearchParams(new FormData(form));
    const { status, answer, wait } = await request("/api/login/", { method: "POST", body: fields });
    if (typeof answer.token !== "string") {
      show("closed", loginRefusal(status, answer, wait));
      at("password").focus();
      at("password").select();
      return;
    }
    token = answer.token;
    at("who").textContent = fields.get("username");
    form.reset();
    connect();
    at("text").focus();
    at("text").select(); // what is typed replaces the example
  }

  function loginRefusal(status, answer, wait) {
    if (status === 0) return `No server answers at ${SERVER}.`;
    if (status === 429) return tooMany(wait);
    // Also of a username that nobody could have.
    if ("user_not_found" in answer) return "Wrong username or password.";
    return `The server did not log you in (HTTP ${status}).`;
  }

  async function signOutElsewhere() {
    // The server closes the sockets of this token, this page's too: whoever stays gets a new one.
    const old = socket;
    const own = old?.readyState === TokenSocket.OPEN ? 1 : 0;
    socket = null;
    count();
    show("connecting", "Signing out everywhere else …");
    const headers = { Authorization: `Bearer ${token}` };
    const path = "/api/sign-out-everywhere-else/";
    const { status, answer, wait } = await request(path, { method: "POST", headers });
    old?.close(1000);
    if (token === null) return; // signed out meanwhile
    if (typeof answer.token === "string") {
      token = answer.token;
      connect(signedOut(answer.closed - own));
    } else connect(status === 429 ? tooMany(wait) : "The other devices are still signed in.");
  }

  function signedOut(others) {
    if (others < 1) return "Signed out everywhere else. No other device was connected.";
    return `Signed out on ${others} other ${others === 1 ? "device" : "devices"}.`;
  }

  // The socket

  // `news`: what to say once it is open.
  function connect(news = "Connected.") {
    const mine = new TokenSocket(SERVER.replace(/^http/, "ws"), {
      getToken: () => token, // this server's tokens do not expire, and there is no fresher one
      authUrl: `${SERVER}/auth/`,
    });
    const when = (type, act) =>
      mine.addEventListener(type, (event) => {
        if (mine === socket) act(event); // else the page has left this socket
      });
    socket = mine;
    show("connecting", "Connecting …");
    when("open", () => {
      count();
      Messages.happened(news);
      show("connected", news);
      news = "Connected.";
    });
    when("authenticated", ({ expiresIn }) => {
      if (at("left").textContent) Messages.happened("Signed in anew.");
      if (expiresIn === null) return;
      count(expiresIn, (time) => {
        at("left").textContent = ` ${time} left.`;
      });
    });
    when("message", ({ data }) => Messages.received(data));
    when("reconnecting", ({ wait, error }) => {
      const reason = why(error.closeCode);
      Messages.lost(reason);
      count(wait, (time, isOver) => {
        if (isOver) show("connecting", `${reason} Reconnecting …`);
        else show("waiting", `${reason} Reconnecting`, `in ${time}.`);
      });
    });
    when("error", ({ error: { closeCode } }) => {
      if (TOKEN_IS_DEAD.has(closeCode)) token = null;
      leave();
      Messages.happened(why(closeCode));
      show("closed", why(closeCode));
    });
  }

  const why = (code) => REASONS[code] ?? `The server closed the connection with code ${code}.`;

  // Reports the time left, now and every second, until it is over.
  function count(seconds = null, report = () => {}) {
    clearTimeout(ticking);
    at("left").textContent = "";
    if (seconds === null) return;
    const end = Date.now() + 1000 * seconds;
    const tick = () => {
      const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      report(left < 60 ? `${left} s` : `${Math.floor(left / 60)} min`, left === 0);
      if (left > 0) ticking = setTimeout(tick, 1000);
    };
    tick();
  }

  function leave() {
    const old = socket;
    socket = null;
    count();
    old?.close(1000);
  }

  function signOut() {
    token = null;
    leave();
    Messages.happened("Signed out.");
    show("idle", "Signed out.");
  }

  function say() {
    if (at("send").ariaDisabled === "true") return; // the text stays, to be sent later
    const message = { command: "Say hello !", data_string: at("text").value };
    socket.send(JSON.stringify(message));
    Messages.sent(message);
    at("text").select(); // to type another, or to send it again
  }

  // Whom to log in as. Only a development server answers with users.
  async function showDemo() {
    const { answer } = await request("/api/demo/");
    if (!Array.isArray(answer.users)) return;
    hint = answer.users
      .map(({ username, password }) => `${username} / ${password}`)
      .join(" or ");
    if (token === null) at("demo-list").textContent = hint;
    at("admin").href = SERVER + answer.admin;
    at("demo").hidden = false;
  }

  at("login").addEventListener("submit", whileIdle("log-in", logIn));
  at("say").addEventListener("submit", (event) => {
    event.preventDefault();
    say();
  });
  at("reconnect").addEventListener("click", () => (socket ? socket.reconnect() : connect()));
  at("sign-out").addEventListener("click", signOut);
  at("sign-out-elsewhere").addEventListener("click", whileIdle("sign-out-elsewhere", signOutElsewhere));
  showDemo();
})();
