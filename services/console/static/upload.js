// How far an upload is; what came of it is announced by the region that it is put into.

const form = document.getElementById("upload-form");

if (form) {
  const progress = document.getElementById("upload-progress");
  const reading = document.getElementById("upload-reading");

  form.addEventListener("htmx:beforeRequest", () => {
    progress.hidden = false;
    progress.value = 0;
    reading.textContent = "";
  });

  form.addEventListener("htmx:xhr:progress", (event) => {
    const { loaded, total } = event.detail;
    if (!total) return;
    progress.value = (100 * loaded) / total;
    if (loaded >= total) reading.textContent = reading.dataset.text;
  });

  form.addEventListener("htmx:afterRequest", (event) => {
    progress.hidden = true;
    reading.textContent = "";
    if (!event.detail.successful) return;
    const uploaded = document.getElementById("uploaded");
    if (uploaded.querySelector("[data-upload=added]")) form.reset();
    uploaded.focus({ preventScroll: true });
    uploaded.scrollIntoView({ block: "nearest" });
  });
}
