// Parts of a page that fetch themselves anew: pausable, honest when the server is gone, gentle to what is open.
import { relative, refresh } from "./times.js";

let reached = Date.now();
let paused = false;
let lost = false;
let kept = { open: new Set(), ends: new Set(), row: "", focus: false };

const isLive = (element) => element instanceof Element && element.matches("[data-live]");
const asking = () => document.querySelector("dialog[open]") !== null;

function show() {
  for (const pulse of document.querySelectorAll("[data-pulse]")) {
    pulse.classList.toggle("stale", lost && !paused);
    pulse.classList.toggle("off", paused);
    const ago = relative(Date.now() - reached);
    const text = paused ? `paused, as of ${ago}` : lost ? `not reached, as of ${ago}` : `updated ${ago}`;
    const label = pulse.querySelector("[data-updated]");
    if (label.textContent !== text) label.textContent = text;
  }
  for (const button of document.querySelectorAll("[data-pause-live]")) {
    button.setAttribute("aria-pressed", String(paused));
    button.lastChild.textContent = paused ? "Unfreeze" : "Freeze";
  }
}

function atEnd(element) {
  return element.scrollHeight - element.scrollTop - element.clientHeight < 24;
}

function keep() {
  const ids = (selector, test) => new Set([...document.querySelectorAll(selector)].filter(test).map((e) => e.id));
  const at = document.querySelector("#live tr.at");
  kept = {
    open: ids("#live details[open][id]", () => true),
    ends: ids("#live [data-follow][id]", atEnd),
    row: at?.dataset.href ?? "",
    focus: at?.contains(document.activeElement) ?? false,
  };
}

function restore() {
  for (const id of kept.open) document.getElementById(id)?.setAttribute("open", "");
  for (const id of kept.ends) {
    const element = document.getElementById(id);
    if (element) element.scrollTop = element.scrollHeight;
  }
  const row = kept.row && document.querySelector(`#live tr[data-href="${CSS.escape(kept.row)}"]`);
  row?.classList?.add("at");
  if (row && kept.focus && !row.contains(document.activeElement)) row.querySelector("a")?.focus({ preventScroll: true });
}

document.addEventListener("htmx:beforeRequest", (event) => {
  if (isLive(event.detail.elt) && (paused || document.hidden || asking())) event.preventDefault();
});
document.addEventListener("htmx:beforeSwap", (event) => {
  const address = new URL(event.detail.xhr.responseURL || location.href);
  if (address.pathname.startsWith("/login/")) {
    event.detail.shouldSwap = false;
    location.reload();
    return;
  }
  if (!isLive(event.detail.requestConfig.elt)) return;
  if (event.detail.isError || asking()) event.detail.shouldSwap = false;
  keep();
});
document.addEventListener("htmx:afterRequest", (event) => {
  // the element itself has left the page by now; its request still names it
  if (!isLive(event.detail.requestConfig.elt)) return;
  lost = !event.detail.successful;
  if (!lost) reached = Date.now();
  show();
});
document.addEventListener("htmx:afterSettle", () => {
  restore();
  refresh();
  show();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-pause-live]")) return;
  paused = !paused;
  show();
});
setInterval(show, 1000);
