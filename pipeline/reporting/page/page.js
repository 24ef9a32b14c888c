// Draws the charts and marks the section that is being read. Without scripts, tables show the values of the charts.
document.documentElement.classList.add("live");
const config = JSON.parse(document.getElementById("config").textContent);
const options = { config, renderer: "svg", actions: false, ast: true, defaultStyle: false, tooltip: { disableDefaultStyle: true } };
const boxes = [...document.querySelectorAll(".chart")];
const begun = new Map();

// Turns columns into rows; null means that a row has no value.
function rowsOf(columns) {
  const named = Object.entries(columns);
  return (named[0]?.[1] ?? []).map((_, at) => {
    const row = {};
    for (const [name, values] of named) if (values[at] !== null) row[name] = values[at];
    return row;
  });
}

function draw(box) {
  if (begun.has(box)) return begun.get(box);
  const spec = JSON.parse(box.nextElementSibling.textContent);
  for (const name in spec.datasets) spec.datasets[name] = rowsOf(spec.datasets[name]);
  const inside = box.appendChild(document.createElement("div")); // vegaEmbed changes the class of its element: the box keeps its own
  const drawing = vegaEmbed(inside, spec, options).then(
    () => {
      box.style.setProperty("--tall", 0);
      box.dispatchEvent(new Event("drawn"));
    },
    (error) => { box.textContent = "This chart could not be drawn: " + error; },
  );
  begun.set(box, drawing);
  return drawing;
}

// Draws charts in view first and the others when idle, so that the page is readable long before all are drawn. A chart
// in a closed section has no width: it waits until the section opens.
const pause = () => new Promise((go) => (window.requestIdleCallback ? requestIdleCallback(go, { timeout: 200 }) : setTimeout(go)));
const near = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
}, { rootMargin: "400px" });
const isShown = (box) => !box.closest("details.more:not([open])");
let isDrawing = false;
async function drawShown() {
  if (isDrawing) return;
  isDrawing = true;
  for (let box; (box = boxes.find((each) => isShown(each) && !begun.has(each))); ) {
    await pause();
    if (isShown(box)) await draw(box);
  }
  isDrawing = false;
}
for (const box of boxes) near.observe(box);
drawShown();

const folds = [...document.querySelectorAll("details.more")], all = document.querySelector(".all");
const areOpen = () => folds.every((fold) => fold.open);
function open(each) { for (const fold of each) fold.open = true; }
document.addEventListener("toggle", (event) => {
  if (!event.target.matches("details.more")) return;
  all.textContent = areOpen() ? "Close all" : "Open all";
  drawShown();
}, true);
all.addEventListener("click", () => { const opens = !areOpen(); for (const fold of folds) fold.open = opens; });

// An address inside a section, or of it, opens the section: `report.html#figure-history`.
function reveal(id) {
  const target = id && document.getElementById(id);
  if (!target) return;
  open(target.matches("section") ? target.querySelectorAll(":scope > .more") : folds.filter((fold) => fold.contains(target)));
}
const revealAddress = () => reveal(decodeURIComponent(location.hash.slice(1)));
addEventListener("hashchange", revealAddress);
document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (link) reveal(decodeURIComponent(link.hash.slice(1))); // before the browser scrolls there
});
revealAddress();

// Paper has no folds.
const closed = [];
function unfold() {
  closed.push(...folds.filter((fold) => !fold.open));
  open(folds);
  boxes.forEach(draw);
}
addEventListener("beforeprint", unfold);
addEventListener("afterprint", () => { while (closed.length) closed.pop().open = false; });
matchMedia("print").addEventListener("change", (event) => { if (event.matches) unfold(); });

const links = [...document.querySelectorAll("nav li a")];
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    for (const link of links) {
      if (link.hash === "#" + entry.target.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
}, { rootMargin: "-20% 0px -70% 0px" });
for (const section of document.querySelectorAll("section")) seen.observe(section);

const menu = document.querySelector(".menu");
document.addEventListener("click", (event) => {
  if (!event.target.closest(".menu summary")) menu.open = false;
});
