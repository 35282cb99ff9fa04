// The keyboard: / j k Enter x a b u c g-then-letter ? Esc.
const PLACES = { c: "/cycles/", e: "/", f: "/forecasts/", o: "/orphans/", p: "/promotions/", s: "/system/" };
let waiting = 0;

function rows() {
  return [...document.querySelectorAll("table[data-rows] tbody tr[data-href]")];
}

function current() {
  return document.querySelector("tr.at");
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const now = all.indexOf(current());
  const next = all[Math.min(all.length - 1, Math.max(0, now < 0 ? 0 : now + step))];
  current()?.classList.remove("at");
  next.classList.add("at");
  next.scrollIntoView({ block: "nearest" });
  next.querySelector("a")?.focus({ preventScroll: true });
}

function search() {
  (document.querySelector("main input[type=search]") ?? document.querySelector("[data-search]")).focus();
}

const ACTS = {
  "/": search,
  j: () => move(1),
  k: () => move(-1),
  x: () => current()?.querySelector("input[type=checkbox]")?.click(),
  Enter: () => current() && location.assign(current().dataset.href),
  a: () => document.querySelector("[data-pick-all]")?.click(),
  b: () => document.querySelector("[data-bulk-bar]:not([hidden]) :is(button, a):not([hidden])")?.focus(),
  u: () => document.getElementById("act-undo")?.focus(),
  "?": () => document.getElementById("help").showModal(),
  c: () => document.querySelector("[data-compare]:not([hidden])")?.click(),
  g: () => (waiting = Date.now()),
};

function typing(target) {
  return target.matches("input:not([type=checkbox]), select, textarea, [contenteditable]");
}

function leave() {
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  document.activeElement?.blur();
  current()?.classList.remove("at");
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "Escape") {
    leave();
    return;
  }
  if (typing(event.target)) return;
  if (event.key === "Enter" && event.target.closest("button, summary, a:not(tr.at a)")) return;
  const place = Date.now() - waiting < 1200 ? PLACES[event.key] : null;
  if (place) {
    location.assign(place);
  } else if (ACTS[event.key]) {
    event.preventDefault();
    ACTS[event.key]();
  }
});
