// Sorts tables, and filters the table of all trials. The page is complete without it.
const signs = { "<": (a, b) => a < b, ">": (a, b) => a > b, "<=": (a, b) => a <= b, ">=": (a, b) => a >= b, "=": (a, b) => a === b };

// Parses the number in a cell, such as "1,024", "2.14e−7" or "−∞"; null if there is none.
function numberIn(text) {
  const plain = text.replaceAll("−", "-").replaceAll(",", "").replace("∞", "Infinity").trim();
  return plain === "" || Number.isNaN(Number(plain)) ? null : Number(plain);
}

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), body = head.closest("table").tBodies[0], column = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending", numeric = head.classList.contains("n");
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const keyed = [...body.rows].map((row) => {
      const text = row.cells[column].textContent;
      return { row, key: text === "–" ? null : numeric ? numberIn(text) : text };
    });
    keyed.sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null); // missing values last in both directions
      const order = numeric ? a.key - b.key : a.key.localeCompare(b.key);
      return down ? -order : order;
    });
    body.append(...keyed.map(({ row }) => row));
  });
}

for (const figure of document.querySelectorAll(".register")) {
  const words = figure.querySelector("input"), state = figure.querySelector("select"), output = figure.querySelector("output");
  const table = figure.querySelector("table"), body = table.tBodies[0], total = body.rows.length;
  const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent.toLowerCase());
  const all = [...body.rows].map((row) => ({ row, state: row.cells[heads.indexOf("state")].textContent, text: "" }));
  const counted = `${total.toLocaleString("en")} trial${total === 1 ? "" : "s"}`;

  // Builds the test of a word: contained in the row, or a comparison of a column ("mae<0.8", "kind=huber").
  const test = (word) => {
    const [, name, sign, bound] = /^([^<>=]+)(<=|>=|=|<|>)(.*)$/.exec(word) ?? [];
    const ways = [(head) => head === name, (head) => head.endsWith("." + name), (head) => head.includes(name)];
    const column = sign ? ways.map((way) => heads.findIndex(way)).find((at) => at >= 0) ?? -1 : -1;
    if (column < 0) return (one) => one.text.includes(word);
    const limit = numberIn(bound);
    if (limit === null) return (one) => bound === "" || (sign === "=" && one.row.cells[column].textContent.toLowerCase() === bound);
    return (one) => {
      const value = numberIn(one.row.cells[column].textContent);
      return value !== null && signs[sign](value, limit);
    };
  };

  const filter = () => {
    const tests = words.value.toLowerCase().split(/\s+/).filter(Boolean).map(test);
    let shown = 0;
    for (const one of all) {
      one.text ||= [...one.row.cells].map((cell) => cell.textContent).join("\n").toLowerCase();
      one.row.hidden = !((!state.value || one.state === state.value) && tests.every((passes) => passes(one)));
      shown += !one.row.hidden;
    }
    output.textContent = shown === total ? counted : `${shown.toLocaleString("en")} of ${counted}`;
    reach(all.find((one) => !one.row.hidden)?.row);
  };
  words.addEventListener("input", filter);
  state.addEventListener("input", filter);
  figure.addEventListener("showall", () => { words.value = state.value = ""; filter(); });

  // Tab reaches one row, arrow keys the others: a thousand tab stops would block keyboard users.
  let reached = null;
  const reach = (row) => {
    reached?.setAttribute("tabindex", "-1");
    reached = row ?? null;
    reached?.setAttribute("tabindex", "0");
  };
  reach(body.rows[0]);
  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (!step || event.target !== reached) return;
    event.preventDefault();
    let row = reached[step];
    while (row?.hidden) row = row[step];
    if (!row) return;
    reach(row);
    row.focus();
  });
}
