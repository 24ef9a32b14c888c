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

// Draws charts in view first and the others when idle, so that the page is readable long before all are drawn.
const pause = () => new Promise((go) => (window.requestIdleCallback ? requestIdleCallback(go, { timeout: 200 }) : setTimeout(go)));
const near = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) draw(entry.target);
}, { rootMargin: "400px" });
for (const box of boxes) near.observe(box);
(async () => { for (const box of boxes) { await pause(); await draw(box); } })();
addEventListener("beforeprint", () => boxes.forEach(draw));

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
