// A request's ranges out of a sample of the buyer's own, which stays in this page: services/data/request_suggestion.py
// says why they are what they are, and rounds them alike.

const MOST_ROWS = 1_000_000;
// Each character has one place in these patterns: they take no more time than the text is long.
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const WHOLE = /^[+-]?\d+(\.0*)?$/;
const NUMBER_LIKE = /^([-+]?\d[\d.,' ]*([^\S ]\s*)?[a-zA-Z€$£%°²³/]{0,3}|[€$£]\s*[-+]?\d[\d.,' ]*)$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?$/;
const [DAY, MANY_DAYS] = [86_400_000, 1000];
const [FIRST_DAY, LAST_DAY] = [-719_162, 2_932_896];
const [SMALLEST, LARGEST] = [1e-28, 1e30];
const TRUTHS = new Map([..."true yes y 1".split(" ").map((text) => [text, 1]), ..."false no n 0".split(" ").map((text) => [text, 0])]);
const IDENTIFIER = /(^|[^A-Za-z])[iI][dD]$|[a-z]I[dD]$/;
const LEAST_COUNTED = 10;
const GAPS = new Set(["", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null"]);

/** What is wrong with a file or a column: `code` names a text of the page, `values` go into its places. */
export class Refusal extends Error {
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
  return [plain({ digits: down, exponent }), plain({ digits: up, exponent })];
}

/** Floating point has no numbers for a range that is narrow beside its middle. */
function requireWide(...range) {
  const [low, high] = range.map((text) => decimal(Number(text)));
  const exponent = Math.min(low.exponent, high.exponent);
  const [down, up] = [low, high].map((value) => value.digits * power(value.exponent - exponent));
  if ((up - down) << 32n < size(up + down)) throw new Refusal("narrow");
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
    record.forEach((text, index) => columns[index].push(text.trim().normalize("NFC")));
  }
  if (row < 1) throw new Refusal("empty");
  return columns;
}

// ---- columns ----

const isPrintable = (text) => /^(?:[^\p{C}\p{Z}]| )*$/u.test(text);
const sum = (values) => values.reduce((total, value) => total + value, 0);

function numberOf(text, row) {
  if (!NUMBER.test(text) || !Number.isFinite(Number(text))) throw new Refusal("number", { row });
  const value = Number(text);
  const large = Math.abs(value) > Number.MAX_SAFE_INTEGER && WHOLE.test(text);
  if (large && BigInt(text.split(".")[0].replace("+", "")) !== BigInt(value)) throw new Refusal("large", { row });
  return value;
}

/** Days since 1970-01-01 of a date with or without a time; NaN for other texts. */
function dayOf(text) {
  if (!MOMENT.test(text)) return NaN;
  const day = text.slice(0, 10);
  const moment = Date.parse(`${day}T${text.slice(11).padEnd(5, "00:00").slice(0, 15)}Z`);
  const real = !Number.isNaN(moment) && new Date(moment).toISOString().startsWith(day);
  return real ? moment / DAY : NaN;
}

/** "number", "boolean", "date" or "text", as all that is there can be read. */
function kindOf(texts) {
  const present = texts.filter((text) => !GAPS.has(text));
  const numbers = present.filter((text) => NUMBER.test(text)).length;
  if (numbers === present.length) return "number";
  if (present.every((text) => TRUTHS.has(text.toLowerCase()))) return "boolean";
  if (present.every((text) => !Number.isNaN(dayOf(text)))) return "date";
  const alike = present.filter((text) => NUMBER_LIKE.test(text)).length;
  if (2 * Math.max(numbers, alike) >= present.length) {
    throw new Refusal("number", { row: texts.findIndex((text) => !GAPS.has(text) && !NUMBER.test(text)) + 1 });
  }
  return "text";
}

/** The numbers of a column that holds some, NaN for gaps. */
function numbersOf(texts, kind) {
  const read = {
    number: numberOf,
    boolean: (text) => TRUTHS.get(text.toLowerCase()),
    date: dayOf,
  }[kind];
  return texts.map((text, row) => (GAPS.has(text) ? NaN : read(text, row + 1)));
}

function quantiles(values) {
  const ordered = Float64Array.from(values).sort();
  const [before, after] = [ordered[(ordered.length - 1) >> 1], ordered[ordered.length >> 1]];
  return [ordered[0], after - (after - before) * 0.5, ordered[ordered.length - 1]];
}

/** Whether logarithms of skewed values above zero explain more of the target than the values do. */
function isLogCloser(values, target) {
  const spread = (numbers) => {
    const mean = sum(numbers) / numbers.length;
    return numbers.map((number) => number - mean);
  };
  const squares = (numbers) => sum(numbers.map((number) => number ** 2));
  const explained = (numbers, wanted) =>
    sum(numbers.map((number, index) => number * wanted[index])) ** 2 / (squares(numbers) * squares(wanted));
  const [plainly, wanted] = [spread(values), spread(target)];
  const skewness = sum(plainly.map((number) => number ** 3)) / values.length / (squares(plainly) / values.length) ** 1.5;
  if (values.some((value) => value < SMALLEST) || !(skewness > 1) || !squares(wanted)) return false;
  return explained(spread(values.map(Math.log)), wanted) > explained(plainly, wanted) + 0.02;
}

/** `outward_logs`: a quarter of the logarithms' range wider, to the power of ten below and up to one digit. */
function outwardLogs(low, high) {
  const factor = Math.max(2, Math.sqrt(Math.sqrt(high / low)));
  const [least, most] = [Math.max(low / factor, 1e-30), Math.min(high * factor, 9e30)].map(decimal);
  const [below, above] = [least, most].map(({ digits }) => String(digits).length - 1);
  const unit = power(above);
  const up = most.digits / unit + (most.digits % unit ? 1n : 0n);
  return [{ digits: 1n, exponent: least.exponent + below }, { digits: up, exponent: most.exponent + above }].map(plain);
}

/** `outward_days`: beginnings of years, or of months for a short time, a quarter of the range further out. */
function outwardDays(low, high) {
  const margin = (high - low) * 0.25;
  const begin = (day, later) => {
    const date = new Date(Math.floor(day) * DAY);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    const first = new Date(0);
    if (high - low >= MANY_DAYS) first.setUTCFullYear(year + later, 0, 1);
    else first.setUTCFullYear(year, month + later, 1);
    return new Date(Math.min(Math.max(first.getTime(), FIRST_DAY * DAY), LAST_DAY * DAY)).toISOString().slice(0, 10);
  };
  return [begin(low - margin, 0), begin(high + margin, 1)];
}

function requireNameable(low, high, kind) {
  const largest = Math.max(-low, high);
  const isDate = kind === "date";
  if (isDate && (low < FIRST_DAY || high >= LAST_DAY + 1)) throw new Refusal("extreme");
  if (!isDate && (largest < SMALLEST || largest >= LARGEST)) throw new Refusal("extreme");
}

/** `require_measurement`: numbers neither name the rows nor count them. */
function requireMeasurement(name, values) {
  if (IDENTIFIER.test(name)) throw new Refusal("identifier");
  if (values.length < LEAST_COUNTED || !values.every(Number.isSafeInteger)) return;
  const ordered = Float64Array.from(values).sort();
  const distinct = ordered.every((value, place) => place === 0 || value > ordered[place - 1]);
  const dense = ordered[ordered.length - 1] - ordered[0] === values.length - 1;
  const rises = values.every((value, row) => row === 0 || value > values[row - 1]);
  const falls = values.every((value, row) => row === 0 || value < values[row - 1]);
  if (rises || falls || (distinct && dense)) throw new Refusal("counting");
}

/** The frequent levels, the most frequent as the reference. */
function levelsOf(texts) {
  const counts = new Map();
  for (const text of texts) if (!GAPS.has(text)) counts.set(text, (counts.get(text) ?? 0) + 1);
  const used = [...counts].sort(([, one], [, other]) => other - one);
  if (!used.every(([level]) => [...level].length <= 100 && isPrintable(level)) || used.length > 256) throw new Refusal("levels");
  const least = Math.max(2, 0.005 * texts.length);
  const levels = used.filter(([, count]) => count >= least).map(([level]) => level).slice(0, 64);
  if (levels.length < 2) throw new Refusal("levels");
  return { kind: "categorical", levels: [...levels].sort(), reference: levels[0], other: "level" };
}

/** `suggest_column`: its inputs in the form, and its numbers; `target` has the target's where they are known. */
function suggestColumn(name, texts, { target, measured = false } = {}) {
  const kind = kindOf(texts);
  const missing = texts.some((text) => GAPS.has(text)) ? { missing: "indicator" } : {};
  const column = (range, fields) => ({ name, minimum: range[0], maximum: range[1], rules: rulesText({ ...fields, ...missing }) });
  if (kind === "text") return column(["", ""], levelsOf(texts));
  const values = numbersOf(texts, kind);
  if (measured && kind === "number") requireMeasurement(name, values);
  const present = values.filter((value) => !Number.isNaN(value));
  if (!present.length) throw new Refusal("empty-column");
  const [low, median, high] = quantiles(present);
  if (low === high) throw new Refusal("constant");
  requireNameable(low, high, kind);
  if (kind === "date") {
    const range = outwardDays(low, high);
    return column(range, { kind, unit: high - low >= MANY_DAYS ? "years" : "days", origin: range[0] });
  }
  if (present.every((value) => value === 0 || value === 1)) return { ...column(["", ""], { kind: "boolean" }), values };
  const log = target !== undefined && isLogCloser(present, target.filter((_, row) => !Number.isNaN(values[row])));
  const range = log ? outwardLogs(low, high) : roundRange(low, median, high);
  requireWide(...range);
  return { ...column(range, log ? { log } : {}), values };
}

/** Fields as the form's input for a kind has them: YAML, in which what JSON writes means the same. */
function rulesText(fields) {
  return Object.entries(fields).map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ");
}

/** What `deltaml request suggest` makes of the same file, or of its columns that are `chosen`: none stands for
 *  all that are no identifiers. `leftOut` are columns with the reason. */
export function suggest(file, target, chosen = []) {
  const names = columnNames(file);
  const columns = columnsOf(file, names.length);
  const predicted = predictedOf(names, columns, target);
  const [features, leftOut] = [[], []];
  names.forEach((name, index) => {
    if (name === target || (chosen.length && !chosen.includes(name))) return;
    try {
      requireName(names, name);
      const { values, ...column } = suggestColumn(name, columns[index], { target: predicted.values, measured: !chosen.length });
      features.push(column);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      leftOut.push({ column: name, code: refusal.code, ...refusal.values });
    }
  });
  if (!features.length) throw new Refusal("features", { target });
  return { target: { ...predicted, mean: roundMean(predicted.values) }, features, leftOut };
}

function requireName(names, name) {
  const once = names.indexOf(name) === names.lastIndexOf(name);
  if (!name || name.length > 200 || !isPrintable(name) || !once) throw new Refusal("name");
}

function predictedOf(names, columns, target) {
  try {
    requireName(names, target);
    const predicted = suggestColumn(target, columns[names.indexOf(target)]);
    if (predicted.values && !predicted.values.some(Number.isNaN)) return predicted;
  } catch (refusal) {
    if (!(refusal instanceof Refusal)) throw refusal;
  }
  throw new Refusal("target", { target });
}
