// Addresses and hashes are shown by their ends, and copied whole by a click or a key.

const notice = document.getElementById("connection");

function makeCopiable() {
  for (const identifier of document.querySelectorAll(".identifier[title]:not([role])")) {
    if (identifier.textContent === identifier.title) continue;
    identifier.role = "button";
    identifier.tabIndex = 0;
  }
}

function tell(text) {
  notice.textContent = text;
  notice.dataset.kind = "found";
  setTimeout(() => {
    if (notice.textContent === text) notice.textContent = "";
  }, 4000);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    tell(`${document.body.dataset.copied} ${text}`);
  } catch {
    tell(text); // not allowed here: it can be selected
  }
}

document.addEventListener("click", (event) => {
  const identifier = event.target.closest(".identifier[role]");
  if (identifier) copy(identifier.title);
});

document.addEventListener("keydown", (event) => {
  if (!["Enter", " "].includes(event.key) || !event.target.matches(".identifier[role]")) return;
  event.preventDefault();
  copy(event.target.title);
});

document.body.addEventListener("htmx:sseMessage", makeCopiable);
document.body.addEventListener("htmx:afterSettle", makeCopiable);
makeCopiable();
