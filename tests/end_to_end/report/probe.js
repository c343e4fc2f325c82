// Uses the page as a reader does, once all figures have drawn, and notes what came of it in data
// attributes of the root element.
"use strict";

function note(name, value) {
  root.dataset[name] = value;
}

// The middle of what a chart drew for an item, in pixels of the chart.
function middleOf(chart, series, item) {
  const drawn = chart.getModel().getSeriesByIndex(series).getData().getItemGraphicEl(item);
  const shape = drawn.isGroup ? drawn.childAt(0) : drawn;
  const points = shape.shape.points;
  const box = shape.getBoundingRect();
  const middle = points
    ? [(points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2]
    : [box.x + box.width / 2, box.y + box.height / 2];
  return shape.transformCoordToGlobal(...middle);
}

function mouse(chart, kinds, [zrX, zrY]) {
  for (const kind of kinds) chart.getZr().handler.dispatch(kind, { zrX, zrY, event: new MouseEvent(kind) });
}

// What the tooltip says when the mouse is over an item. A chart is a canvas: all its text is that.
function hovered(chart, series, item) {
  mouse(chart, ["mousemove"], middleOf(chart, series, item));
  return chart.getDom().textContent;
}

function clicked(chart, series, item) {
  mouse(chart, ["mousemove", "mousedown", "mouseup", "click"], middleOf(chart, series, item));
  return String(marked);
}

function unmarked() {
  if (marked !== null) mark(marked);
  for (const { chart } of figures) chart.getZr().flush();
}

function hover() {
  const [curve, parallel, overTime, against] = figures.map(one => one.chart);
  const top = curve.getModel().getSeriesByIndex(0).getData().count() - 1;
  note("curveTrial", curves().series[0].data[top].trial);
  note("curve", hovered(curve, 0, top));
  note("parallel", hovered(parallel, 0, ranked.length - 1));
  note("overTime", hovered(overTime, 0, 0));
  note("against", hovered(against, 0, 0));
}

function useTimeline() {
  const { chart } = figures.at(-1);
  const item = bars.findIndex(at => units.partition[at] >= 0);
  const at = bars[item];
  note("unitHead", `trial ${units.trial[at]}, epoch ${units.epoch[at]}, partition ${units.partition[at]}`);
  note("unit", hovered(chart, 0, item));
  note("unitTrial", units.trial[at]);
  note("unitMarked", clicked(chart, 0, item));
  unmarked();
  note("barsBefore", bars.length);
  chart.dispatchAction({ type: "dataZoom", dataZoomIndex: 0, start: 0, end: 10 });
  note("barsZoomed", bars.length);
}

function useRanking() {
  const rows = () => [...document.querySelectorAll("#ranking tbody tr")];
  const row = rows()[1];
  row.click();
  note("rowMarked", marked === Number(row.dataset.trial) && row.className === "marked");
  row.click();
  note("rowUnmarked", marked === null && row.className === "");
  const button = row.querySelector("button");
  button.click();
  note("buttonMarked", marked === Number(row.dataset.trial) && button.getAttribute("aria-pressed") === "true");
  unmarked();
  const sort = () => document.querySelectorAll("#ranking th button")[1].click();
  sort();
  note("sorted", rows().map(row => row.dataset.trial).join(" "));
  sort();
  note("sortedDown", rows().map(row => row.dataset.trial).join(" "));
}

function probe() {
  if (Number(root.dataset.drawn) < figures.length) {
    setTimeout(probe, 20);
    return;
  }
  hover();
  useTimeline();
  useRanking();
  note("described", figures.map(({ chart }) => chart.getDom().getAttribute("aria-label").split(".")[0]).join(" | "));
  note("headCells", document.querySelectorAll("#ranking th[scope=col]").length);
  note("probed", "yes");
}

setTimeout(probe, 20);
