// The admin keeps its theme in the browser's storage, the other pages in a cookie: let them agree both ways.
{
  const root = document.documentElement;
  const chosen = document.querySelector("meta[name=theme]").content;
  localStorage.setItem("theme", chosen || "auto");
  const keep = () => {
    const theme = root.dataset.theme;
    if (!theme) return;
    const secure = location.protocol === "https:" ? "; secure" : "";
    const life = theme === "auto" ? 0 : 31536000;
    document.cookie = `theme=${theme}; path=/; max-age=${life}; samesite=lax${secure}`;
  };
  addEventListener("load", () => new MutationObserver(keep).observe(root, { attributeFilter: ["data-theme"] }));
}
