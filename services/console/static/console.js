// What the interaction library does not do: connection notices, times in the reader's zone.

const connection = document.getElementById("connection");
const messages = document.getElementById("messages");
let lost = false;

function tell(text, kind) {
  connection.textContent = text;
  connection.dataset.kind = kind;
}

document.body.addEventListener("htmx:sseError", () => {
  if (!lost) tell(document.body.dataset.lost, "lost");
  lost = true;
});

document.body.addEventListener("htmx:sseOpen", () => {
  if (!lost) return;
  lost = false;
  tell(document.body.dataset.found, "found");
  setTimeout(() => lost || tell("", ""), 4000);
});

document.body.addEventListener("htmx:sseClose", (event) => {
  // The session has ended: the page leads to signing in.
  if (event.detail.type === "message") location.reload();
});

document.body.addEventListener("htmx:sseBeforeMessage", (event) => {
  // What somebody is filling in stays as it is for as long as the page still offers it.
  const busy = event.target.querySelector("details[open], input:focus, select:focus, textarea:focus");
  if (busy?.id && event.detail.data.includes(`id="${busy.id}"`)) event.preventDefault();
});

document.body.addEventListener("htmx:sendError", () => {
  messages.textContent = document.body.dataset.unreachable;
});

document.body.addEventListener("htmx:responseError", (event) => {
  // The server's own fragment: text only, so that nothing in it is taken for markup.
  const parsed = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  messages.textContent = parsed.body.textContent.trim();
});

document.body.addEventListener("htmx:beforeRequest", () => {
  messages.textContent = "";
});

// ---- times ----

const locale = document.documentElement.lang;
const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "long" }); // with the zone

function localTimes(root) {
  for (const time of root.querySelectorAll("time[data-local]")) {
    time.title = time.textContent.trim();
    time.textContent = moments.format(new Date(time.dateTime));
    time.removeAttribute("data-local");
  }
}

// ---- after every change of the page ----

function markInvalid() {
  for (const problem of document.querySelectorAll("[data-problem]")) {
    const input = document.getElementById(problem.dataset.problem);
    if (!input) continue;
    if (problem.textContent.trim()) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }
}

function refreshed() {
  localTimes(document);
  markInvalid();
}

document.body.addEventListener("htmx:sseMessage", refreshed);
document.body.addEventListener("htmx:afterSettle", refreshed);
document.body.addEventListener("htmx:afterSettle", (event) => {
  // A form that has got other inputs is checked again.
  if (["columns", "start-fields"].includes(event.target.id)) window.htmx.trigger("#request-form", "change");
});
refreshed();
