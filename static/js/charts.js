// Plotly's figures: the server sends data, this gives them the page's colours, in light and in dark.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function coloured(trace) {
  const colour = css(`--series-${trace.meta?.series ?? 1}`);
  const faint = colour.startsWith("#") ? `${colour}33` : colour;
  return {
    ...trace,
    line: { width: 1.8, ...trace.line, color: colour },
    marker: { size: 4, ...trace.marker, color: colour },
    ...(trace.meta?.fill ? { fillcolor: faint } : {}),
  };
}

function layout(figure, zoom) {
  const axis = { gridcolor: css("--line"), zerolinecolor: css("--line-strong"), linecolor: css("--line"), automargin: true };
  return {
    ...figure.layout,
    font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: css("--muted") },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 56, r: 12, t: 8, b: 36 },
    height: 300,
    hovermode: "x unified",
    hoverlabel: { bgcolor: css("--surface"), bordercolor: css("--line-strong"), font: { color: css("--text") } },
    legend: { orientation: "h", y: 1.12, x: 0 },
    bargap: 0.3,
    xaxis: { ...axis, ...figure.layout.xaxis, ...(zoom ? { range: zoom, autorange: false } : {}) },
    yaxis: { ...axis, ...figure.layout.yaxis },
  };
}

function zoomOf(element) {
  const kept = new URLSearchParams(location.search).get(`zoom-${element.id}`);
  return kept?.includes("~") ? kept.split("~") : null;
}

function keepZoom(element, change) {
  const address = new URL(location.href);
  const name = `zoom-${element.id}`;
  if (change["xaxis.autorange"]) address.searchParams.delete(name);
  else if (change["xaxis.range[0]"]) address.searchParams.set(name, `${change["xaxis.range[0]"]}~${change["xaxis.range[1]"]}`);
  history.replaceState(null, "", address);
}

function draw(element) {
  const { figure } = element;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"], doubleClick: "reset" };
  window.Plotly.react(element, figure.data.map(coloured), { ...layout(figure, zoomOf(element)), transition: { duration: still ? 0 : 150 } }, options);
}

async function load(element) {
  element.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(element.dataset.chart, { headers: { Accept: "application/json" } });
    if (!response.ok || response.redirected) throw new Error(`the server answered ${response.status}`);
    element.figure = await response.json();
    draw(element);
    element.on("plotly_relayout", (change) => keepZoom(element, change));
    element.dataset.drawn = "yes";
  } catch (error) {
    element.textContent = `The figure could not be loaded: ${error.message}. The table below has the numbers.`;
  } finally {
    element.removeAttribute("aria-busy");
  }
}

const all = () => [...document.querySelectorAll("[data-chart]")];
document.addEventListener("themechange", () => all().filter((element) => element.figure).forEach(draw));
all().forEach(load);
