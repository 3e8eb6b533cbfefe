// The curve of errors, beside a table that says the same in words.

const FLATTENED = 0.8; // of all that is shown: from here on the first round leaves the others no height
const LOGARITHMIC = 20; // so many times the smallest error, the largest leaves the small ones no height
const STEPS = [[1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]];

const locale = document.documentElement.lang;
const numbers = new Intl.NumberFormat(locale, { maximumSignificantDigits: 5 });
const charts = new Map();
const fromTheStart = new Set();

// ---- what is drawn ----

function points(source) {
  const text = source?.querySelector("[data-points]")?.dataset.points ?? "";
  const pairs = text.split(" ").filter(Boolean).map((pair) => pair.split(":").map(Number));
  return [pairs.map((pair) => pair[0]), pairs.map((pair) => pair[1])];
}

function isFlattened(errors) {
  const span = Math.max(...errors) - Math.min(...errors);
  return errors.length > 3 && errors[0] - errors[1] > FLATTENED * span;
}

function isLogarithmic(errors) {
  const least = Math.min(...errors);
  return least > 0 && Math.max(...errors) / least >= LOGARITHMIC;
}

function drawingOf(host) {
  const source = document.getElementById(host.dataset.chart);
  const [rounds, errors] = points(source);
  const cut = isFlattened(errors) && !fromTheStart.has(host);
  const shown = cut ? errors.slice(1) : errors;
  const logarithmic = shown.length > 0 && isLogarithmic(shown);
  const pooled = Number(source?.querySelector("[data-pooled]")?.dataset.pooled || NaN);
  return { rounds: cut ? rounds.slice(1) : rounds, errors: shown, all: errors, cut, logarithmic, pooled };
}

// ---- the axes ----

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function logarithmicTicks(low, high) {
  let ticks = [];
  for (const steps of STEPS) {
    ticks = [];
    for (let power = Math.floor(low); power <= high; power += 1)
      ticks.push(...steps.map((step) => power + Math.log10(step)).filter((tick) => tick >= low && tick <= high));
    if (ticks.length > 3) break;
  }
  return ticks;
}

function shortNumbers(most) {
  const notation = most >= 1e5 && most < 1e13 ? "compact" : most ? "scientific" : "standard";
  return new Intl.NumberFormat(locale, { notation, maximumSignificantDigits: 3 });
}

function figures(values) {
  const most = Math.max(...values.map((value) => Math.abs(value ?? 0)));
  const short = most >= 1e5 || most < 1e-3 ? shortNumbers(most) : numbers; // the axis has room for seven characters
  return values.map((value) => (value === null ? "" : short.format(value)));
}

function spread(low, high, mayGoBelow) {
  if (low === null || high === null) return [0, 1];
  const margin = (high - low || Math.abs(high) || 1) * 0.08;
  return [low >= 0 && !mayGoBelow ? Math.max(0, low - margin) : low - margin, high + margin];
}

function options(host, { logarithmic }) {
  const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") } };
  const scale = logarithmic ? { splits: (_c, _a, low, high) => logarithmicTicks(low, high) } : {};
  const label = logarithmic ? host.dataset.labelLogarithmic : host.dataset.labelY;
  const told = (_chart, values) => (logarithmic ? values.flatMap((value) => figures([10 ** value])) : figures(values));
  return {
    width: host.clientWidth,
    height: host.clientWidth < 480 ? 230 : 320,
    legend: { show: false },
    cursor: { y: false },
    scales: { x: { time: false }, y: { range: (_, low, high) => spread(low, high, logarithmic) } },
    axes: [
      { ...axis, label: host.dataset.labelX, labelSize: 24, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
      { ...axis, ...scale, label, labelSize: 24, size: 64, values: told },
    ],
    series: [
      {},
      { stroke: colour("--accent"), width: 2, fill: colour("--accent-wash"), points: { show: (chart) => chart.data[0].length < 40, size: 6 } },
      { stroke: colour("--faint"), width: 1, dash: [6, 4], points: { show: false } },
    ],
    hooks: { setCursor: [(chart) => readOut(chart, host)] },
  };
}

// ---- what is said beside it ----

function readOut(chart, host) {
  const output = document.getElementById(host.dataset.readOut);
  if (!output) return;
  const { rounds, errors, all } = drawingOf(host);
  const error = errors[chart.cursor.idx];
  const parts = error === undefined ? [] : [
    `${host.dataset.labelX} ${rounds[chart.cursor.idx]}`,
    `${host.dataset.labelY} ${numbers.format(error)}`,
    `${host.dataset.labelRoot} ${numbers.format(Math.sqrt(error))}`,
    `R² ${numbers.format(Math.round(1e4 * (1 - error / all[0])) / 1e4)}`,
  ];
  output.textContent = parts.join(" · ");
}

function note(host, { all, cut }) {
  const line = document.getElementById(host.dataset.note);
  if (!line) return;
  line.hidden = !isFlattened(all);
  if (line.hidden) return;
  line.querySelector("[data-start]").textContent = cut ? line.dataset.above.replace("{error}", numbers.format(all[0])) : "";
  const button = line.querySelector("button");
  button.setAttribute("aria-pressed", String(!cut));
  button.onclick = () => {
    if (!fromTheStart.delete(host)) fromTheStart.add(host);
    drawCharts();
  };
}

// ---- drawing ----

function drawn(host, drawing) {
  const heights = (values) => (drawing.logarithmic ? values.map(Math.log10) : values);
  const pooled = Number.isNaN(drawing.pooled) ? drawing.errors.map(() => null) : drawing.errors.map(() => drawing.pooled);
  return [drawing.rounds, heights(drawing.errors), Number.isNaN(drawing.pooled) ? pooled : heights(pooled)];
}

function drawCharts() {
  for (const host of document.querySelectorAll("[data-chart]")) {
    if (!window.uPlot) continue;
    const drawing = drawingOf(host);
    host.hidden = drawing.all.length < 2;
    note(host, drawing);
    if (host.hidden) continue;
    const known = charts.get(host);
    if (known?.logarithmic === drawing.logarithmic) known.chart.setData(drawn(host, drawing));
    else {
      known?.chart.destroy();
      const chart = new window.uPlot(options(host, drawing), drawn(host, drawing), host);
      charts.set(host, { chart, logarithmic: drawing.logarithmic });
    }
  }
}

function redrawCharts() {
  for (const { chart } of charts.values()) chart.destroy();
  charts.clear();
  drawCharts();
}

let resizing = 0;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(redrawCharts, 150);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawCharts);
document.body.addEventListener("htmx:sseMessage", drawCharts);
document.body.addEventListener("htmx:afterSettle", drawCharts);
drawCharts();
