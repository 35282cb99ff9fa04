// Asking before a change, sending a form once, copying, closing.
const dialog = document.getElementById("confirm");

export function confirmed(text) {
  dialog.querySelector("[data-confirm-text]").textContent = text;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

async function ask(form, submitter, text) {
  if (!(await confirmed(text))) return;
  form.dataset.agreed = "yes";
  form.requestSubmit(submitter);
}

function question(form, submitter) {
  if (submitter?.dataset.bulkAct) return form.dataset.question.replace("{}", submitter.dataset.bulkAct);
  return form.dataset.confirm;
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const text = question(form, event.submitter);
  if (text && form.dataset.agreed !== "yes") {
    event.preventDefault();
    ask(form, event.submitter, text);
    return;
  }
  if (form.method !== "post") return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});

async function copy(button) {
  const glyph = button.title;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.title = "Copied";
  } catch {
    button.title = "The browser does not let this page copy";
  }
  button.classList.add("up");
  setTimeout(() => {
    button.title = glyph;
    button.classList.remove("up");
  }, 1500);
}

document.addEventListener("click", (event) => {
  const hit = (selector) => event.target.closest(selector);
  if (hit("[data-agree]")) dialog.close("yes");
  else if (hit("[data-dismiss]")) hit("dialog").close("");
  else if (hit("[data-close]")) hit(".note").remove();
  else if (hit("[data-copy]")) copy(hit("[data-copy]"));
  else if (hit("[data-help]")) document.getElementById("help").showModal();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
