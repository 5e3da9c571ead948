// Keep the list of live connections fresh: fetch it again while the page is visible.
"use strict";

const INTERVAL = 3000; // milliseconds
const list = document.getElementById("connections");
const warnings = document.getElementById("connection-warnings");
const panels = document.getElementById("connection-panels");
const summary = document.getElementById("connection-summary");

function element(name, text) {
    const made = document.createElement(name);
    made.textContent = text;
    return made;
}

function row({cells, close_url: closeUrl}) {
    const made = document.createElement("tr");
    made.append(...cells.map((cell) => element("td", cell)));
    if (list.dataset.close) {
        const link = element("a", list.dataset.close);
        link.href = closeUrl;
        const cell = document.createElement("td");
        cell.append(link);
        made.append(cell);
    }
    return made;
}

function panel({title, rows, empty}) {
    const body = document.createElement("tbody");
    const made = rows.map(([name, count]) => {
        const line = document.createElement("tr");
        const heading = element("th", name);
        heading.scope = "row";
        line.append(heading, element("td", count));
        return line;
    });
    if (!made.length) {
        const line = document.createElement("tr");
        line.append(element("td", empty));
        made.push(line);
    }
    body.append(...made);
    const table = document.createElement("table");
    table.append(element("caption", title), body);
    return table;
}

function warning(text) {
    const made = element("li", text);
    made.className = "warning";
    return made;
}

// Whoever is about to follow a link of a row by keyboard keeps it, or gets the next one.
function replaceRows(rows) {
    const links = [...list.querySelectorAll("a")];
    const index = links.indexOf(document.activeElement);
    const focused = links[index];
    list.replaceChildren(...rows);
    if (focused) {
        const now = [...list.querySelectorAll("a")];
        const same = now.find((link) => link.href === focused.href);
        (same ?? now[index] ?? now.at(-1) ?? list.closest("[tabindex]")).focus();
    }
}

async function refresh() {
    try {
        const answer = await fetch(list.dataset.url, {redirect: "error"});
        if (!answer.ok) {
            throw new Error(answer.status);
        }
        const found = await answer.json();
        // Without a change, what the user has selected stays selected.
        const seen = JSON.stringify(found);
        if (seen !== list.dataset.seen) {
            list.dataset.seen = seen;
            replaceRows(found.rows.map(row));
            panels.replaceChildren(...found.panels.map(panel));
            warnings.replaceChildren(...found.warnings.map(warning));
            summary.textContent = found.summary;
        }
    } catch {
        delete list.dataset.seen;
        warnings.replaceChildren(warning(list.dataset.failed));
    }
}

async function keepFresh() {
    if (!document.hidden) {
        await refresh();
    }
    setTimeout(keepFresh, INTERVAL);
}

keepFresh();
