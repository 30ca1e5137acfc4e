// Sort the champions, filter them, walk through them with the arrow keys; what is chosen stands in the address.
const data = JSON.parse(document.getElementById("data").textContent);
const grid = document.querySelector(".champions");
const items = [...grid.children];
const buttons = [...document.querySelectorAll("[data-column]")];
const filter = document.querySelector(".bar input");
const count = document.querySelector(".bar output");
const figures = document.querySelectorAll(".traces");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const state = { column: 0, up: data.columns[0].up, filter: "", at: "" };

const shown = (list) => [...list.children].filter((item) => !item.hidden);
const linkOf = (item) => item.firstElementChild;

function compare(one, other) {
  const [a, b] = [one, other].map((place) => data.cards[place].values[state.column]);
  if (a === b) return one - other;
  if (a === null || b === null) return a === null ? 1 : -1; // who has no such number is last either way
  return (a < b ? -1 : 1) * (state.up ? 1 : -1);
}

function glide(before) {
  if (still.matches) return;
  for (const item of shown(grid)) {
    const [old, now] = [before.get(item), item.getBoundingClientRect()];
    if (!old || (old.x === now.x && old.y === now.y)) continue;
    const from = `translate(${old.x - now.x}px, ${old.y - now.y}px)`;
    item.animate([{ transform: from }, { transform: "none" }], { duration: 260, easing: "ease-out" });
  }
}

function arrange() {
  const before = new Map(shown(grid).map((item) => [item, item.getBoundingClientRect()]));
  const focused = document.activeElement;
  const wanted = state.filter.toLowerCase();
  for (const place of data.cards.keys()) {
    items[place].hidden = !data.cards[place].variant.toLowerCase().includes(wanted);
  }
  grid.append(...[...items.keys()].sort(compare).map((place) => items[place]));
  if (focused.dataset.at === state.at) focused.focus({ preventScroll: true }); // moving a card takes its focus away
  for (const [column, button] of buttons.entries()) {
    const chosen = column === state.column;
    button.setAttribute("aria-pressed", String(chosen));
    if (chosen) button.dataset.order = state.up ? "up" : "down";
    else delete button.dataset.order;
  }
  for (const line of grid.querySelectorAll("[data-value]")) {
    line.classList.toggle("sorted", Number(line.dataset.value) === state.column);
  }
  count.textContent = `${shown(grid).length} of ${items.length}`;
  if (filter.value !== state.filter) filter.value = state.filter;
  if (document.body.dataset.ready) glide(before);
}

function remember() {
  const parts = { sort: data.columns[state.column].name, order: state.up ? "up" : "down" };
  if (state.filter) parts.filter = state.filter;
  if (state.at) parts.at = state.at;
  const hash = `#${new URLSearchParams(parts)}`;
  try {
    history.replaceState(null, "", hash);
  } catch {
    location.replace(hash); // where a page may not rewrite its history
  }
}

function recall() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const column = data.columns.findIndex((one) => one.name === parts.get("sort"));
  state.column = Math.max(0, column);
  state.up = parts.has("order") ? parts.get("order") === "up" : data.columns[state.column].up;
  state.filter = parts.get("filter") ?? "";
  state.at = parts.get("at") ?? "";
  arrange();
  const card = cardAt(state.at);
  if (card && card !== document.activeElement) card.focus();
}

const cardAt = (at) => at && [...document.querySelectorAll("[data-at]")].find((card) => card.dataset.at === at);

function trace(card) {
  for (const cell of document.querySelectorAll(".map rect.traced")) cell.classList.remove("traced");
  if (card?.dataset.elite) {
    card.closest(".map").querySelector(`[data-cell="${card.dataset.elite}"]`)?.classList.add("traced");
  }
  const run = card?.dataset.run;
  for (const figure of figures) {
    figure.classList.toggle("tracing", run !== undefined);
    for (const mark of figure.querySelectorAll(".traced")) mark.classList.remove("traced");
    if (run === undefined) continue;
    for (const mark of figure.querySelectorAll(`.run${run}`)) mark.classList.add("traced");
  }
}

function step(list, item, key) {
  const row = shown(list);
  const place = row.indexOf(item);
  const wide = row.filter((one) => one.offsetTop === row[0].offsetTop).length;
  const moves = { ArrowLeft: place - 1, ArrowRight: place + 1, ArrowUp: place - wide, ArrowDown: place + wide };
  const target = { Home: 0, End: row.length - 1 }[key] ?? moves[key];
  return row[target];
}

function walk(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const card = event.target.closest?.("[data-at]");
  let next;
  if (card) next = step(card.closest(".cards"), card.parentElement, event.key);
  else if (event.target === document.body && /^Arrow(Left|Right)$/.test(event.key)) next = shown(grid)[0];
  else if (event.target === filter && event.key === "ArrowDown") next = shown(grid)[0];
  if (!next) return;
  event.preventDefault();
  linkOf(next).focus();
}

function choose(column) {
  state.up = column === state.column ? !state.up : data.columns[column].up;
  state.column = column;
  arrange();
  remember();
}

for (const [column, button] of buttons.entries()) button.addEventListener("click", () => choose(column));
filter.addEventListener("input", () => {
  state.filter = filter.value;
  arrange();
  remember();
});
for (const list of document.querySelectorAll(".cards")) {
  const cards = [...list.children].map(linkOf);
  const reach = (chosen) => cards.forEach((card) => (card.tabIndex = card === chosen ? 0 : -1)); // one stop for Tab
  if (cards.length) reach(cards[0]);
  list.addEventListener("focusin", (event) => {
    const card = event.target.closest("[data-at]");
    if (!card) return;
    reach(card);
    trace(card);
    if (state.at === card.dataset.at) return;
    state.at = card.dataset.at;
    remember();
  });
  list.addEventListener("focusout", () => trace(null));
  list.addEventListener("pointerover", (event) => trace(event.target.closest("[data-at]")));
  list.addEventListener("pointerleave", () => trace(document.activeElement.closest?.("[data-at]")));
}
document.addEventListener("keydown", walk);
addEventListener("hashchange", recall);
document.querySelector(".bar").classList.add("ready");
recall();
document.body.dataset.ready = "yes";
