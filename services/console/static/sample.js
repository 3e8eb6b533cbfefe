// A request's ranges out of a sample of the buyer's own, which stays in this page: services/data/request_suggestion.py
// says why they are what they are, and rounds them alike.

const MOST_ROWS = 1_000_000;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const WHOLE = /^[+-]?\d+(\.0*)?$/;

/** What is wrong with a file or a column: `code` names a text of the page, `values` go into its places. */
class Refusal extends Error {
  constructor(code, values = {}) {
    super(code);
    Object.assign(this, { code, values });
  }
}

// ---- exact decimals: digits × 10^exponent ----

const power = (exponent) => 10n ** BigInt(exponent);
const size = (digits) => (digits < 0n ? -digits : digits);
const floor = (digits, step) => digits / step - (digits % step < 0n ? 1n : 0n);

function decimal(value) {
  const [digits, exponent] = value.toExponential().split("e");
  const [whole, part = ""] = digits.split(".");
  return { digits: BigInt(whole + part), exponent: Number(exponent) - part.length };
}

function plain({ digits, exponent }) {
  const text = String(size(digits) * power(Math.max(exponent, 0))).padStart(1 - exponent, "0");
  const places = Math.max(-exponent, 0);
  const part = text.slice(text.length - places).replace(/0+$/, "");
  return (digits < 0n ? "-" : "") + text.slice(0, text.length - places) + (places && part ? `.${part}` : "");
}

/** To so many significant digits, a tie to the even one. */
function significant({ digits, exponent }, most) {
  const surplus = Math.max(String(size(digits)).length - most, 0);
  const unit = power(surplus);
  const [kept, rest] = [size(digits) / unit, (size(digits) % unit) * 2n];
  const rounded = kept + (rest > unit || (rest === unit && kept % 2n) ? 1n : 0n);
  return { digits: digits < 0n ? -rounded : rounded, exponent: exponent + surplus };
}

/** `round_range`: a quarter of the width wider on both sides, a whole one at a long tail, to round numbers. */
export function roundRange(low, median, high) {
  if (low === 0 && high === 1) return ["0", "1"];
  const values = [low, median, high].map(decimal);
  const exponent = Math.min(...values.map((value) => value.exponent)) - 2; // so that a quarter is a whole number
  const [least, middle, most] = values.map((value) => value.digits * power(value.exponent - exponent));
  const width = most - least;
  const below = middle - least > 2n * (most - middle) ? width : width / 4n;
  const above = most - middle > 2n * (middle - least) ? width : width / 4n;
  const unit = power(String(width).length - 1);
  const step = width >= 2n * unit ? unit / 2n : unit / 5n;
  let down = floor(least - below, step) * step;
  let up = -floor(-(most + above), step) * step;
  if (least >= 0n && down < 0n) down = 0n;
  if (most <= 0n && up > 0n) up = 0n;
  if ((up - down) << 32n < size(up + down)) throw new Refusal("narrow");
  return [plain({ digits: down, exponent }), plain({ digits: up, exponent })];
}

/** The mean to three digits; the sum is Neumaier's, whose rounding errors are added up beside it. */
export function roundMean(values) {
  let [sum, lost] = [0, 0];
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return plain(significant(decimal((sum + lost) / values.length), 3));
}

// ---- the file ----

/** The records of a CSV file, as lists of texts; a quote is doubled within quotes. */
function* records(text) {
  const token = /(?:"([^"]*(?:""[^"]*)*)"|(?!")([^,\r\n]*))(,|\r\n|\n|\r|$)/gy;
  let record = [];
  while (token.lastIndex < text.length) {
    const found = token.exec(text);
    if (!found) throw new Refusal("quote");
    record.push(found[1] === undefined ? found[2] : found[1].replaceAll('""', '"'));
    if (found[3] === "," && token.lastIndex < text.length) continue;
    if (found[3] === ",") record.push("");
    if (record.length > 1 || record[0] !== "") yield record;
    record = [];
  }
}

/** The names of the columns; `file` is the whole text. */
export function columnNames(file) {
  const [header] = file.split(/[\r\n]/, 1);
  if (!header.includes(",") && /[;\t|]/.test(header)) throw new Refusal("delimiter");
  const names = records(file).next().value?.map((name) => name.trim().normalize("NFC")) ?? [];
  if (file.includes("\0") || !names.length) throw new Refusal("text");
  if (names.every((name) => NUMBER.test(name))) throw new Refusal("header");
  return names;
}

function columnsOf(file, count) {
  const columns = Array.from({ length: count }, () => []);
  let row = -1;
  for (const record of records(file)) {
    row += 1;
    if (row === 0) continue;
    if (row > MOST_ROWS) throw new Refusal("long", { most: MOST_ROWS });
    if (record.length !== count) throw new Refusal("uneven", { row, found: record.length, columns: count });
    record.forEach((text, index) => columns[index].push(text.trim()));
  }
  if (row < 1) throw new Refusal("empty");
  return columns;
}

function numberOf(text, row) {
  if (!NUMBER.test(text) || !Number.isFinite(Number(text))) throw new Refusal("number", { row });
  const value = Number(text);
  const large = Math.abs(value) > Number.MAX_SAFE_INTEGER && WHOLE.test(text);
  if (large && BigInt(text.split(".")[0].replace("+", "")) !== BigInt(value)) throw new Refusal("large", { row });
  return value;
}

function rangeOf(values) {
  const ordered = Float64Array.from(values).sort();
  const [low, high] = [ordered[0], ordered[ordered.length - 1]];
  if (low === high) throw new Refusal("constant");
  const [before, after] = [ordered[(ordered.length - 1) >> 1], ordered[ordered.length >> 1]];
  return roundRange(low, after - (after - before) * 0.5, high);
}

/** What `deltaml request suggest` makes of the same file; `leftOut` are columns with the reason. */
export function suggest(file, target) {
  const names = columnNames(file);
  const leftOut = [];
  const kept = new Map();
  columnsOf(file, names.length).forEach((texts, index) => {
    const name = names[index];
    try {
      if (!name || name.length > 200 || names.indexOf(name) !== names.lastIndexOf(name)) throw new Refusal("name");
      const values = texts.map((text, row) => numberOf(text, row + 1));
      const [minimum, maximum] = rangeOf(values);
      kept.set(name, { name, minimum, maximum, mean: name === target ? roundMean(values) : "" });
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      leftOut.push({ column: name, code: refusal.code, ...refusal.values });
    }
  });
  const predicted = kept.get(target);
  if (!predicted) throw new Refusal("target", { target });
  kept.delete(target);
  if (!kept.size) throw new Refusal("features", { target });
  return { target: predicted, features: [...kept.values()], leftOut };
}

// ---- the page ----

const host = document.getElementById("sample-details");

function said(code, values) {
  const text = host.querySelector(`[data-said="${code}"]`).textContent;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function tell(lines) {
  const place = document.getElementById("sample-said");
  place.replaceChildren(...lines.map((line) => Object.assign(document.createElement("p"), { textContent: line })));
}

/** The form's inputs with what the sample says in their places; the rest stays as it was typed. */
function filled(found, file) {
  const values = Object.fromEntries(new FormData(document.getElementById("request-form")));
  const columns = found.features.flatMap(({ name, minimum, maximum }, index) => [
    [`feature-${index}-name`, name], [`feature-${index}-minimum`, minimum], [`feature-${index}-maximum`, maximum],
  ]);
  const { name, minimum, maximum, mean } = found.target;
  return {
    ...values, ...JSON.parse(host.dataset.defaults), ...Object.fromEntries(columns),
    "name": values.name || file.name.replace(/\.[^.]*$/, ""),
    "target-name": name, "target-minimum": minimum, "target-maximum": maximum,
    "columns": found.features.length, "start": "mean", "start_value": mean,
  };
}

async function attempt(work) {
  try {
    await work();
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
    tell([said(refusal.code, refusal.values)]);
  }
}

function wire() {
  const [input, target, fill] = ["file", "target", "fill"].map((part) => document.getElementById(`sample-${part}`));
  let text = "";
  host.hidden = false;
  input.addEventListener("change", () => attempt(async () => {
    const file = input.files[0];
    target.replaceChildren();
    target.disabled = fill.disabled = true;
    tell([]);
    if (!file) return;
    if (file.size > Number(host.dataset.largest)) throw new Refusal("large-file");
    text = await file.text();
    const names = columnNames(text);
    target.replaceChildren(...names.map((name) => new Option(name, name)));
    target.value = names[names.length - 1];
    target.disabled = fill.disabled = false;
  }));
  fill.addEventListener("click", () => attempt(async () => {
    const found = suggest(text, target.value);
    if (found.features.length > Number(host.dataset.most)) throw new Refusal("wide");
    const values = filled(found, input.files[0]);
    await window.htmx.ajax("POST", "/trainings/new/form", {
      values, target: "#request-form", select: "#request-form", swap: "outerHTML",
    });
    tell([said("done", { columns: found.features.length }), ...found.leftOut.map((one) => said("left-out", { ...one, reason: said(one.code, one) }))]);
  }));
}

if (host) wire();
