// Matches in logs: jump from one to the next with n and p, or the buttons.
let at = 0;

function jump(step) {
  const hits = document.querySelectorAll("mark[id^=hit-]");
  if (!hits.length) return;
  hits[at - 1]?.classList.remove("at");
  at = ((at - 1 + step + hits.length) % hits.length) + 1;
  const hit = hits[at - 1];
  hit.classList.add("at");
  hit.scrollIntoView({ block: "center" });
  document.querySelector("[data-hit-at]").textContent = `${at} of ${hits.length}`;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-hit]");
  if (button) jump(Number(button.dataset.hit) > 0 || at ? Number(button.dataset.hit) : 0);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.matches("input:not([type=checkbox]), select, textarea")) return;
  if (event.key === "n") jump(1);
  else if (event.key === "p") jump(at ? -1 : 0);
});
