// Makes the pages quick: forms and links exchange what is on the page, and keys press buttons.
// Without it everything works, a page at a time.
"use strict";

const PULSE_SECONDS = 4;
let learned = Number(document.body.dataset.learned); // of how many decisions the queue was told
const keysAreOn = () => localStorage.getItem("single-keys") !== "off";

function setBusy(busy) {
  document.body.toggleAttribute("data-busy", busy);
}

async function go(url, options = {}, keepFocus = false) {
  if (document.body.hasAttribute("data-busy")) return;
  setBusy(true);
  try {
    const answer = await fetch(url, { ...options, credentials: "same-origin" });
    const text = await answer.text();
    if (!answer.ok) throw new Error(answer.status === 403 ? text : `the server answered ${answer.status}`);
    if (options.pushes !== false) history.pushState(null, "", answer.url);
    show(text, keepFocus);
  } catch (error) {
    say(error instanceof TypeError ? "The server does not answer. What was decided is kept; start it again." : error.message, true);
  } finally {
    setBusy(false);
  }
}

function show(text, keepFocus) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const filterIsOpen = document.querySelector("details.filter")?.open;
  const focused = document.activeElement?.closest("[data-row]") ? activeIndex() : -1;
  document.title = fresh.title;
  for (const part of ["header", ".columns"]) document.querySelector(part).replaceWith(fresh.querySelector(part));
  if (filterIsOpen !== undefined) document.querySelector("details.filter").open = filterIsOpen;
  const said = fresh.querySelector("#said");
  say(said.textContent, said.classList.contains("bad"));
  if (focused >= 0 && rows().length) activate(Math.min(focused, rows().length - 1));
  else if (!keepFocus) (document.querySelector("[aria-invalid]") ?? document.querySelector("main")).focus({ preventScroll: true });
  if (!keepFocus && focused < 0) scrollTo({ top: 0, behavior: "instant" });
}

function say(text, isBad) {
  const place = document.querySelector("#said");
  place.textContent = text;
  place.classList.toggle("bad", isBad);
}

const rows = () => [...document.querySelectorAll("li[data-row]")];
const activeIndex = () => rows().findIndex((row) => row.hasAttribute("data-active"));

function activate(index) {
  const all = rows();
  all.forEach((row, at) => row.toggleAttribute("data-active", at === index));
  all[index].focus({ preventScroll: true });
  all[index].scrollIntoView({ block: "nearest" });
}

addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method === "dialog") return;
  event.preventDefault();
  const data = new URLSearchParams(new FormData(form, event.submitter));
  if (form.method === "get") go(`${form.getAttribute("action")}?${data}`);
  else go(form.getAttribute("action"), { method: "POST", body: data });
});

addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) return openHelp();
  const link = event.target.closest("a[href]");
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || link.origin !== location.origin || link.getAttribute("href").startsWith("#") || link.hasAttribute("download")) return;
  event.preventDefault();
  go(link.href);
});

addEventListener("focusin", (event) => {
  const row = event.target.closest("li[data-row]");
  if (row && !row.hasAttribute("data-active")) rows().forEach((each) => each.toggleAttribute("data-active", each === row));
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.matches(".word select") && chooses(event)) return event.preventDefault();
  if (event.target.closest("input:not([type=checkbox]), select, textarea, dialog")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (!keysAreOn() && event.key.length === 1) return;
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  const typed = document.querySelector("[data-digits]");
  if (typed && /^[-+.0-9]$/.test(event.key)) return typed.select(); // and the digit goes there
  if (rows().length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    return activate(Math.min(Math.max(activeIndex() + (event.key === "ArrowDown" ? 1 : -1), 0), rows().length - 1));
  }
  if (event.key === "ArrowDown" && document.querySelector(".word")) {
    event.preventDefault();
    return (document.querySelector(".doubted select") ?? document.querySelector(".word select")).focus();
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const wanted = `[data-key="${CSS.escape(key)}"]`;
  const found = document.querySelector(`[data-active] ${wanted}`) ?? document.querySelector(`:not(li) > ${wanted}, header ${wanted}, aside ${wanted}, .pages ${wanted}`);
  if (key === "w" && !found && document.querySelector("article")) say("There is no suggestion for this row: Q keeps its label, ? lists the keys that give another.", false);
  if (!found || found.disabled || event.repeat) return;
  event.preventDefault();
  if (found.hasAttribute("data-focus")) {
    found.closest("details")?.setAttribute("open", "");
    found.focus();
    found.select();
  } else found.click();
});

function chooses({ key, target }) {
  const all = [...document.querySelectorAll(".word select")];
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  const option = keysAreOn() && /^[1-9]$/.test(key) && target.querySelector(`[data-digit="${key}"]`);
  if (step) all[all.indexOf(target) + step]?.focus();
  else if (key === "Enter") target.form.requestSubmit();
  else if (option) option.selected = true;
  return Boolean(step || option || key === "Enter");
}

function openHelp() {
  const box = document.querySelector("#single-keys");
  box.checked = keysAreOn();
  box.onchange = () => localStorage.setItem("single-keys", box.checked ? "on" : "off");
  document.querySelector("#help").showModal();
}

addEventListener("popstate", () => go(location.href, { pushes: false }));

setInterval(async () => {
  if (document.hidden || document.body.hasAttribute("data-busy")) return;
  const row = document.querySelector("article[data-row]");
  try {
    const answer = await fetch(`./pulse?row=${row?.dataset.place ?? ""}`, { credentials: "same-origin" });
    if (!answer.ok) return;
    const now = await answer.json();
    if (row !== document.querySelector("article[data-row]")) return;
    document.querySelector("#decided").textContent = now.progress;
    const learn = document.querySelector("#learn");
    learn.disabled = now.learning;
    learn.textContent = now.learning ? "Learning" : "Learn from decisions";
    const before = document.querySelector("#said").textContent;
    if (now.learned > learned && (!before || before.startsWith("Learning"))) say(`The queue has learned from ${now.rows} decided rows; other rows come next.`, false);
    learned = now.learned;
    if (row && now.version !== row.dataset.version && now.version) say(`Meanwhile ${now.said}.`, true);
  } catch { /* the next decision says that the server is gone */ }
}, PULSE_SECONDS * 1000);

if (matchMedia("(max-width: 800px)").matches) document.querySelector("details.filter")?.removeAttribute("open");
