// The head of the page, the facts, the best configuration and the ranking. All text is set as
// text: what users named can be anything.

function pairs(list, rows) {
  for (const [label, text, kind] of rows) {
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    term.textContent = label;
    description.textContent = text;
    if (kind) description.className = kind;
    list.append(term, description);
  }
}

function showHead() {
  const { best, metric } = content;
  document.title = content.name + " – wallaby";
  document.getElementById("name").textContent = content.name;
  document.getElementById("headline").textContent = best
    ? `best ${metric} ${number(best.value)} by trial ${best.trial} at epoch ${best.epoch}`
    : "no trial has a result";
  document.getElementById("footer").textContent = `wallaby ${content.wallaby}; figures by Apache ECharts ${echarts.version}`;
  pairs(document.getElementById("facts"), content.facts);
}

function showBest() {
  const place = document.getElementById("best");
  const { best } = content;
  if (!best) {
    place.textContent = "No trial has validated an epoch.";
    return;
  }
  const value = document.createElement("p");
  const where = document.createElement("small");
  value.className = "value";
  where.textContent = `  ${content.metric}, trial ${best.trial} at epoch ${best.epoch} of ${content.epochs}`;
  value.append(number(best.value), where);
  const list = document.createElement("dl");
  const searched = new Set(parameters.map(parameter => parameter.name));
  const config = Object.entries(best.config);
  const rows = config.map(([name, text]) => [name, text, searched.has(name) && "searched"]);
  const metrics = Object.entries(best.metrics).filter(([name]) => name !== content.metric);
  pairs(list, [...rows.filter(row => row[2]), ...rows.filter(row => !row[2])]);
  pairs(list, metrics.map(([name, at]) => [name, number(at)]));
  place.append(value, list);
}

// How a trial ended, and why if it failed.
function endInWords(trial) {
  const why = trials.failures[trial];
  return trials.ends[trial].replace("_", " ") + (why === undefined ? "" : ": " + why);
}

// Head, text and what to sort by, of each column; whether its cells are buttons that mark.
function columns() {
  const epochs = trials.validated.map(list => list.length);
  const objective = trial => trials.objective[trial];
  const plain = (head, at) => ({ head, text: trial => number(at(trial)), key: at });
  return [
    plain("rank", trial => ranks[trial] + 1),
    { ...plain("trial", trial => trial), marks: true },
    plain(content.metric, objective),
    plain("best epoch", trial => trials.best_epoch[trial]),
    plain("epochs", trial => epochs[trial]),
    { head: "end", text: endInWords, key: trial => trials.ends[trial] },
    ...parameters.map(parameter => ({
      head: parameter.name,
      text: trial => valueOf(parameter, trial),
      key: trial => parameter.at[trial],
    })),
  ];
}

function showRanking() {
  const table = document.createElement("table");
  const body = table.createTBody();
  const head = table.createTHead().insertRow();
  const all = columns();
  const rows = trials.ranking.map(trial => rankingRow(trial, all));
  for (const column of all) {
    const cell = document.createElement("th");
    cell.scope = "col";
    const button = document.createElement("button");
    button.textContent = column.head;
    button.addEventListener("click", () => sortBy(column, cell, rows, body));
    cell.append(button);
    head.append(cell);
  }
  head.firstChild.setAttribute("aria-sort", "ascending");
  body.append(...rows);
  document.getElementById("ranking").append(table);
}

function rankingRow(trial, all) {
  const row = document.createElement("tr");
  row.dataset.trial = trial;
  for (const column of all) {
    const cell = row.insertCell();
    if (column.marks) cell.append(markButton(trial));
    else cell.textContent = cell.title = column.text(trial);
  }
  if (trials.failures[trial] !== undefined) row.className = "failed";
  row.addEventListener("click", () => mark(trial));
  return row;
}

// For those without a mouse; its click is the row's.
function markButton(trial) {
  const button = document.createElement("button");
  button.textContent = trial;
  button.setAttribute("aria-label", `mark trial ${trial}`);
  button.setAttribute("aria-pressed", "false");
  return button;
}

function sortBy(column, cell, rows, body) {
  const descending = cell.getAttribute("aria-sort") === "ascending";
  for (const other of cell.parentNode.cells) other.removeAttribute("aria-sort");
  cell.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const key = row => column.key(Number(row.dataset.trial));
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
  rows.sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === null || b === null) return (a === null) - (b === null);
    return descending ? compare(b, a) : compare(a, b);
  });
  body.append(...rows);
}

function showMark() {
  for (const row of document.querySelectorAll("#ranking tbody tr")) {
    const isMarked = Number(row.dataset.trial) === marked;
    row.classList.toggle("marked", isMarked);
    row.querySelector("button").setAttribute("aria-pressed", isMarked);
  }
  document.getElementById("marked").value = marked === null ? "" : marked;
}
