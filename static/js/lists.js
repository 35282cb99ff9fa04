// Lists: rows that open on a click, ticks, filters that apply at once, columns, and news of open rows.
const INSIDE = "a, button, input, label, select, form, summary, dialog";
let lastTick = null;
const ticked = new Set();

document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-href]");
  if (!row || event.target.closest(INSIDE) || String(getSelection())) return;
  if (event.target.closest(".pick")) {
    row.querySelector("input").click();
  } else if (event.ctrlKey || event.metaKey) {
    window.open(row.dataset.href, "_blank", "noopener");
  } else {
    location.assign(row.dataset.href);
  }
});

function boxes() {
  return [...document.querySelectorAll("[data-bulk] tbody input[name=id]")];
}

function showBulk() {
  const form = document.querySelector("[data-bulk]");
  if (!form) return;
  ticked.clear();
  for (const box of boxes()) if (box.checked) ticked.add(box.value);
  const all = form.querySelector("[data-bulk-all]")?.checked;
  form.querySelector("[data-bulk-bar]").hidden = ticked.size === 0;
  form.querySelector("[data-bulk-count]").textContent = `${ticked.size} ticked`;
  const noun = form.dataset.noun ?? "cycle";
  const which = ticked.size === 1 ? `1 ${noun}` : `${ticked.size} ${noun}s`;
  // what matches on every page is previewed by the server before anything happens
  form.dataset.question = all ? "" : `{} ${which}? What it does not fit is left alone and told.`;
  const compare = form.querySelector("[data-compare]");
  if (!compare) return;
  compare.hidden = ticked.size < 2 || ticked.size > 5;
  compare.search = `?ids=${[...ticked].join(",")}`;
}

function tickTo(box) {
  const all = boxes();
  const [from, to] = [all.indexOf(lastTick), all.indexOf(box)].sort((a, b) => a - b);
  if (from >= 0) for (const between of all.slice(from, to + 1)) between.checked = box.checked;
}

document.addEventListener("click", (event) => {
  const box = event.target.closest("[data-bulk] input[name=id]");
  if (!box) return;
  if (event.shiftKey && lastTick) tickTo(box);
  lastTick = box;
  showBulk();
});

document.addEventListener("change", (event) => {
  const target = event.target;
  if (target.matches("[data-pick-all]")) for (const box of boxes()) box.checked = target.checked;
  if (target.closest("[data-bulk]")) showBulk();
  if (target.matches("[data-filters] select")) target.form.requestSubmit();
  if (target.matches("[data-columns] input")) keepColumns();
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-filters], [role=search]")) return;
  const empty = [...event.target.elements].filter((field) => field.name && !field.value);
  for (const field of empty) field.disabled = true;
  setTimeout(() => empty.forEach((field) => (field.disabled = false)));
});

// columns: what a person hid stays hidden in this browser, for each list by itself
const KEY = "menace.hidden-columns";
const menu = document.querySelector("[data-columns]");
const key = menu?.dataset.columns === "cycles" ? KEY : `${KEY}.${menu?.dataset.columns}`;

function hidden() {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? [];
  } catch {
    return [];
  }
}

function keepColumns() {
  const off = [...menu.querySelectorAll("input:not(:checked)")].map((box) => box.value);
  localStorage.setItem(key, JSON.stringify(off));
  showColumns();
}

function showColumns() {
  if (!menu) return;
  const off = hidden();
  const table = document.getElementById(menu.dataset.columns);
  for (const box of menu.querySelectorAll("input")) {
    box.checked = !off.includes(box.value);
    table?.classList.toggle(`hide-${box.value}`, !box.checked);
  }
}

// news: the open rows of this page and how many newer cycles there are
document.addEventListener("htmx:configRequest", (event) => {
  const element = event.detail.elt;
  if (!element.matches("[data-news]")) return;
  const ids = [...document.querySelectorAll("tr[data-open]")].map((row) => row.dataset.open).join(",");
  if (!ids && !element.dataset.top) {
    event.preventDefault();
    return;
  }
  const more = new URLSearchParams({ ids, top: element.dataset.top });
  event.detail.path = `${event.detail.path}?${element.dataset.news}&${more}`;
});

document.addEventListener("htmx:oobAfterSwap", () => {
  for (const box of boxes()) if (ticked.has(box.value)) box.checked = true;
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-reload]")) location.reload();
});

showColumns();
showBulk();
