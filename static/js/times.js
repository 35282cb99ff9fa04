// Times that move on: "3 m ago", running durations, and the zone of the browser for the server's next page.
import { setCookie } from "./theme.js";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
if (/^[A-Za-z0-9_+/-]+$/.test(zone) && !document.cookie.split("; ").includes(`tz=${zone}`)) setCookie("tz", zone);

const STEPS = [["d", 86400, "h", 3600], ["h", 3600, "m", 60], ["m", 60, "s", 1]];

export function lasting(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  for (const [name, size, below, part] of STEPS) {
    const rest = Math.floor((whole % size) / part);
    if (whole >= size) return `${Math.floor(whole / size)} ${name}${rest ? ` ${rest} ${below}` : ""}`;
  }
  return `${whole} s`;
}

export function relative(milliseconds) {
  const seconds = milliseconds / 1000;
  if (Math.abs(seconds) < 5) return "just now";
  const told = lasting(Math.max(10, Math.abs(seconds))).split(" ").slice(0, 2).join(" ");
  const most = Math.abs(seconds) < 10 ? `${Math.abs(seconds).toFixed(0)} s` : told;
  return seconds > 0 ? `${most} ago` : `in ${most}`;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function refresh() {
  const now = Date.now();
  for (const element of document.querySelectorAll("time[data-ago]")) {
    put(element, relative(now - Date.parse(element.dateTime)));
  }
  for (const element of document.querySelectorAll("[data-since]")) {
    put(element, lasting(Math.max(0, (now - Date.parse(element.dataset.since)) / 1000)));
  }
}

setInterval(refresh, 1000);
