// Light or dark: the toggle's choice lies in a cookie, so that the server draws the next page right at once.
const YEAR = 31536000;
const root = document.documentElement;
const system = matchMedia("(prefers-color-scheme: dark)");

export function setCookie(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=${YEAR}; samesite=lax${secure}`;
}

function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
}

function tell() {
  document.dispatchEvent(new CustomEvent("themechange"));
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  root.dataset.theme = isDark() ? "light" : "dark";
  setCookie("theme", root.dataset.theme);
  tell();
});
system.addEventListener("change", tell);
