// What the interaction library does not do: connection notices, times in the reader's zone, the curve of errors.

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

// ---- the curve, beside a table that says the same in words ----

const charts = new Map();

function points(source) {
  const text = source.querySelector("[data-points]")?.dataset.points ?? "";
  const pairs = text.split(" ").filter(Boolean).map((pair) => pair.split(":").map(Number));
  return [pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1])];
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function options(host) {
  const numbers = new Intl.NumberFormat(locale, { maximumSignificantDigits: 5 });
  const figures = (_, values) => {
    const most = Math.max(...values.map((value) => Math.abs(value ?? 0)));
    const short = most >= 1e5 || most < 1e-3 ? shortNumbers(most) : numbers; // the axis has room for seven characters
    return values.map((value) => (value === null ? "" : short.format(value)));
  };
  const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  return {
    width: host.clientWidth,
    height: host.clientWidth < 480 ? 230 : 320,
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { time: false }, y: { range: (_, low, high) => spread(low, high) } },
    axes: [
      { ...axis, label: host.dataset.labelX, labelSize: 24, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
      { ...axis, label: host.dataset.labelY, labelSize: 24, size: 64, values: figures },
    ],
    series: [
      {},
      { stroke: colour("--accent"), width: 2, fill: colour("--accent-wash"), points: { show: (chart) => chart.data[0].length < 40, size: 6 } },
    ],
    hooks: { setCursor: [(chart) => readOut(chart, host, numbers)] },
  };
}

function shortNumbers(most) {
  const notation = most >= 1e5 && most < 1e13 ? "compact" : most ? "scientific" : "standard";
  return new Intl.NumberFormat(locale, { notation, maximumSignificantDigits: 3 });
}

function spread(low, high) {
  if (low === null || high === null) return [0, 1];
  const margin = (high - low || Math.abs(high) || 1) * 0.08;
  return [low >= 0 ? Math.max(0, low - margin) : low - margin, high + margin];
}

function readOut(chart, host, numbers) {
  const place = chart.cursor.idx;
  const output = document.getElementById(host.dataset.readOut);
  if (!output) return;
  output.textContent = place === null || place === undefined ? ""
    : `${host.dataset.labelX} ${chart.data[0][place]} · ${host.dataset.labelY} ${numbers.format(chart.data[1][place])}`;
}

function drawCharts() {
  for (const host of document.querySelectorAll("[data-chart]")) {
    const source = document.getElementById(host.dataset.chart);
    if (!source || !window.uPlot) continue;
    const data = points(source);
    host.hidden = data[0].length < 2;
    if (host.hidden) continue;
    const known = charts.get(host);
    if (known) known.setData(data);
    else charts.set(host, new window.uPlot(options(host), data, host));
  }
}

function redrawCharts() {
  for (const [host, chart] of charts) {
    chart.destroy();
    charts.delete(host);
  }
  drawCharts();
}

let resizing = 0;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(redrawCharts, 150);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);

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
  drawCharts();
}

document.body.addEventListener("htmx:sseMessage", refreshed);
document.body.addEventListener("htmx:afterSettle", refreshed);
document.body.addEventListener("htmx:afterSettle", (event) => {
  // A form that has got other inputs is checked again.
  if (["columns", "start-fields"].includes(event.target.id)) window.htmx.trigger("#request-form", "change");
});
refreshed();
