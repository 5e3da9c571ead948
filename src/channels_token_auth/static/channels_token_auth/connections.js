// Keeps the list of live connections fresh: asks again while the page is looked at.
"use strict";

const INTERVAL = 3000; // milliseconds
const list = document.getElementById("connections");
const warnings = document.getElementById("connection-warnings");
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

function warning(text) {
    const made = element("li", text);
    made.className = "warning";
    return made;
}

async function refresh() {
    try {
        const answer = await fetch(list.dataset.url, {redirect: "error"});
        if (!answer.ok) {
            throw new Error(answer.status);
        }
        const found = await answer.json();
        // What is focused or selected stays so while nothing has changed.
        const seen = JSON.stringify(found);
        if (seen !== list.dataset.seen) {
            list.dataset.seen = seen;
            list.replaceChildren(...found.rows.map(row));
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
