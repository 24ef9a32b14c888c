// Highlights one trial everywhere: pointing at its mark, row or link rings it in all charts and tables; a click or tap
// keeps the ring. It works for every chart whose data has a column `trial`.
const SVG = "http://www.w3.org/2000/svg";
const AROUND = [[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [0.7, 0.7], [-0.7, 0.7], [0.7, -0.7], [-0.7, -0.7]];
const main = document.querySelector("main");
const gather = (map, key, value) => { if (map.has(key)) map.get(key).push(value); else map.set(key, [value]); };

const rows = new Map();
for (const row of document.querySelectorAll("tr[data-trial]")) gather(rows, Number(row.dataset.trial), row);

const itemOf = (mark) => [mark.__data__].flat()[0]; // the datum behind an SVG element of Vega

// Returns the trial of an SVG element, or null. A line has one only if all its points share it.
function trialOf(mark) {
  if (!mark?.parentNode?.classList?.contains("role-mark")) return null;
  const item = itemOf(mark), trial = item?.datum?.trial;
  if (typeof trial !== "number") return null;
  const continuous = ["line", "area", "trail"].includes(item.mark.marktype);
  return continuous && item.mark.items.some((other) => other.datum.trial !== trial) ? null : trial;
}

let indexes = new WeakMap();
function marksOf(svg, trial) {
  if (!indexes.has(svg) || indexes.get(svg).get(trial)?.some((mark) => !mark.isConnected)) {
    const index = new Map();
    for (const mark of svg.querySelectorAll(".role-mark > :not(g)")) {
      const own = trialOf(mark);
      if (own !== null) gather(index, own, mark);
    }
    indexes.set(svg, index);
  }
  return indexes.get(svg).get(trial) ?? [];
}

const undo = [];

// Draws copies of a trial's marks on top and dims the whole chart, which costs one trial's marks, not all.
function ring(box, trial) {
  const svg = box.querySelector("svg"), marks = svg ? marksOf(svg, trial) : [];
  if (!marks.length) return;
  const make = (name, inside) => inside.appendChild(document.createElementNS(SVG, name));
  const above = make("g", svg), home = above.getCTM().inverse();
  above.setAttribute("class", "above");
  svg.classList.add("tracing");
  undo.push(() => { above.remove(); svg.classList.remove("tracing"); });
  for (const mark of marks) {
    const { a, b, c, d, e, f } = home.multiply(mark.parentNode.getCTM()), clip = mark.parentNode.getAttribute("clip-path");
    const frame = make("g", above), kind = itemOf(mark).mark.marktype;
    frame.setAttribute("class", kind);
    frame.setAttribute("transform", `matrix(${[a, b, c, d, e, f]})`);
    if (clip) frame.setAttribute("clip-path", clip);
    if (kind === "symbol") {
      const circle = make("circle", frame);
      circle.setAttribute("r", 9);
      circle.setAttribute("transform", mark.getAttribute("transform") ?? "");
    } else {
      frame.append(mark.cloneNode(true)); // the halo
    }
    frame.append(mark.cloneNode(true));
  }
}

function mark(row) {
  row.classList.add("traced");
  undo.push(() => row.classList.remove("traced"));
  const box = row.closest(".tall");
  if (!box || row.hidden || box.matches(":hover")) return;
  const top = row.offsetTop, head = row.closest("table").tHead.offsetHeight;
  const seen = top - head >= box.scrollTop && top + row.offsetHeight <= box.scrollTop + box.clientHeight;
  if (!seen) box.scrollTop = top - box.clientHeight / 2;
}

let shown = null, kept = null;
function show(trial) {
  if (trial === shown) return;
  shown = trial;
  while (undo.length) undo.pop()();
  if (trial === null) return;
  for (const box of boxes) ring(box, trial);
  for (const row of rows.get(trial) ?? []) mark(row);
}
for (const box of boxes) box.addEventListener("drawn", () => { if (shown !== null) ring(box, shown); });

const bar = document.createElement("p"), named = document.createElement("a"), release = document.createElement("button");
bar.className = "kept";
bar.hidden = true;
bar.setAttribute("role", "status");
release.type = "button";
release.textContent = "Unmark";
release.addEventListener("click", () => keep(null));
bar.append(named, release);
document.body.append(bar);

function keep(trial) {
  kept = trial;
  bar.hidden = trial === null;
  named.textContent = `Trial ${trial} is marked`;
  if (document.getElementById(`trial-${trial}`)) named.href = `#trial-${trial}`;
  else named.removeAttribute("href");
  show(trial);
}

// Returns the trial under a point, or within `reach` pixels of it, so that thin lines can be hit.
function under(target, x, y, reach) {
  const owner = target.closest("[data-trial]");
  if (owner) return Number(owner.dataset.trial);
  if (!target.closest(".chart")) return null;
  for (const [right, down] of AROUND) {
    const trial = trialOf(document.elementFromPoint(x + reach * right, y + reach * down));
    if (trial !== null) return trial;
  }
  return null;
}

let asked = 0, across = innerWidth, later = 0;
main.addEventListener("pointermove", (event) => {
  if (event.pointerType === "touch") return;
  cancelAnimationFrame(asked);
  asked = requestAnimationFrame(() => show(under(event.target, event.clientX, event.clientY, 4) ?? kept));
});
main.addEventListener("pointerleave", () => {
  cancelAnimationFrame(asked);
  show(kept);
});
main.addEventListener("click", (event) => {
  if (event.target.closest("a, button, input, select, summary, label")) return;
  const trial = under(event.target, event.clientX, event.clientY, event.pointerType === "touch" ? 12 : 4);
  if (trial !== null) keep(trial === kept ? null : trial);
  else if (event.target.closest(".chart")) keep(null);
});
main.addEventListener("focusin", (event) => {
  const owner = event.target.closest("[data-trial]");
  if (owner) show(Number(owner.dataset.trial));
});
main.addEventListener("focusout", () => show(kept));
addEventListener("keydown", (event) => {
  if (event.key === "Escape") keep(null);
  if (event.key === "Enter" && event.target.matches("tr[data-trial]")) keep(Number(event.target.dataset.trial));
});
addEventListener("resize", () => {
  if (innerWidth === across) return; // a phone's toolbars change only the height
  across = innerWidth;
  show(null);
  clearTimeout(later);
  later = setTimeout(() => { indexes = new WeakMap(); show(kept); }, 300); // once the charts are redrawn
});

// Follows report.html#trial-17: scrolls to the row and marks the trial, even if a filter had hidden it.
function arrive() {
  const found = /^#trial-(\d+)$/.exec(location.hash), row = found && document.getElementById(`trial-${found[1]}`);
  if (!row) return;
  if (row.hidden) row.closest("figure").dispatchEvent(new Event("showall"));
  keep(Number(found[1]));
  row.scrollIntoView({ block: "center" });
}
addEventListener("hashchange", arrive);
// A section that has just opened draws its charts, which moves the row.
let moves = true;
for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) addEventListener(name, () => { moves = false; }, { once: true, passive: true });
document.addEventListener("drawn", () => { if (moves) arrive(); }, true);
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#trial-"]');
  if (link && link.hash === location.hash) setTimeout(arrive); // the same address again fires no hashchange
});
arrive();
