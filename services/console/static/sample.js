// Fills the order form from a sample of the buyer's own, which stays in this page: request_suggestion.js reads it.

const host = document.getElementById("sample-details");
const { Refusal, columnNames, suggest } = await import(host.dataset.rules);

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
  const columns = found.features.flatMap((column, index) => Object.entries(column).map(([part, text]) => [`feature-${index}-${part}`, text]));
  const { name, minimum, maximum, rules, mean } = found.target;
  return {
    ...values, ...JSON.parse(host.dataset.defaults), ...Object.fromEntries(columns),
    "name": values.name || file.name.replace(/\.[^.]*$/, ""),
    "target-name": name, "target-minimum": minimum, "target-maximum": maximum, "target-rules": rules,
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
  const [input, target, chosen, fill] = ["file", "target", "columns", "fill"].map((part) => document.getElementById(`sample-${part}`));
  let text = "";
  host.hidden = false;
  input.addEventListener("change", () => attempt(async () => {
    const file = input.files[0];
    target.replaceChildren();
    chosen.replaceChildren();
    target.disabled = chosen.disabled = fill.disabled = true;
    tell([]);
    if (!file) return;
    if (file.size > Number(host.dataset.largest)) throw new Refusal("large-file");
    text = await file.text();
    const names = columnNames(text);
    for (const list of [target, chosen]) list.replaceChildren(...names.map((name) => new Option(name, name)));
    target.value = names[names.length - 1];
    target.disabled = chosen.disabled = fill.disabled = false;
  }));
  fill.addEventListener("click", () => attempt(async () => {
    const found = suggest(text, target.value, [...chosen.selectedOptions].map((option) => option.value));
    if (found.features.length > Number(host.dataset.most)) throw new Refusal("wide");
    const values = filled(found, input.files[0]);
    await window.htmx.ajax("POST", "/trainings/new/form", {
      values, target: "#request-form", select: "#request-form", swap: "outerHTML",
    });
    tell([said("done", { columns: found.features.length }), ...found.leftOut.map((one) => said("left-out", { ...one, reason: said(one.code, one) }))]);
  }));
}

wire();
