// The list of messages: what was sent, what was received, and what happened to the connection.
// A page opened from a file cannot load modules, so this one is the global `Messages`.
"use strict";

const Messages = (() => {
  const MAX_LINES = 200;
  const WHO = { sent: "You, ", received: "Server, ", system: "" };
  const box = document.getElementById("log");
  const lines = document.getElementById("lines");
  let loss = null; // the line of the present outage, and how often the connection was lost in it

  function add(kind, text, payload) {
    const time = document.createElement("small");
    time.textContent = WHO[kind] + new Date().toLocaleTimeString();
    const body = document.createElement("span");
    body.textContent = text;
    const line = document.createElement("li");
    line.className = kind;
    line.append(time, body);
    if (payload !== undefined) line.append(onDemand(payload));
    lines.append(line);
    while (lines.children.length > MAX_LINES) lines.firstChild.remove();
    box.scrollTop = box.scrollHeight;
    return line;
  }

  // The frame's JSON on one line with no letter escaped, however its sender wrote it.
  function onDemand(payload) {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "JSON";
    const code = document.createElement("code");
    code.textContent = JSON.stringify(payload, null, 1).replace(/\n */g, " ");
    details.append(summary, code);
    details.addEventListener("toggle", () => details.scrollIntoView({ block: "nearest" }));
    return details;
  }

  // The keys' spelling is the tutorial's; a reader of the page gets a sentence.
  function sentence(answer) {
    if (typeof answer === "string") return answer;
    if (typeof answer?.error === "string") return answer.error;
    if (typeof answer?.command_response !== "string") return JSON.stringify(answer);
    return `${answer.command_response.trim()}: ${answer.data_string_bacK}`;
  }

  function parsed(data) {
    try {
      return JSON.parse(data);
    } catch {
      return data;
    }
  }

  return {
    sent: (payload) => add("sent", payload.data_string, payload),
    received(data) {
      const answer = parsed(data);
      add("received", sentence(answer), answer);
    },
    happened(text) {
      loss = null;
      add("system", text);
    },
    // One line for an outage, however many attempts fail in it.
    lost(text) {
      loss ??= { count: 0, line: add("system", text) };
      loss.count += 1;
      if (loss.count === 1) return;
      const failed = loss.count - 1;
      loss.line.lastChild.textContent = `${text} Failed attempts to reconnect: ${failed}.`;
    },
  };
})();
