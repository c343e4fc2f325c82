// The hop timeline: what ran on which slot, when.

// Labels are only drawn where a unit is this wide, in pixels.
const LABEL_FROM = 18;

// More bars than this are not drawn at once: nobody could tell them apart.
const BARS_MAX = 12000;

// The window of time that is shown, and the units drawn in it.
let view = [0, lastMoment];
let bars = [];
// Into how many cells of a slot the window is cut if not all units in it are drawn, else 0.
let cells = 0;

// The units in view. Where several of a slot would share a few pixels, the longest of them.
function barsInView() {
  const [from, to] = view;
  const inView = [];
  for (let at = 0; at < unitCount; at++) {
    if (start[at] <= to && start[at] + units.millis[at] >= from) inView.push(at);
  }
  cells = 0;
  if (inView.length <= BARS_MAX) return inView;
  cells = Math.floor(BARS_MAX / units.slots.length);
  const longest = new Map();
  for (const at of inView) {
    const cell = Math.floor((start[at] - from) / (to - from) * cells) * units.slots.length + units.slot[at];
    const other = longest.get(cell);
    const wins = other === undefined || units.trial[at] === marked
      || (units.trial[other] !== marked && units.millis[at] > units.millis[other]);
    if (wins) longest.set(cell, at);
  }
  return [...longest.values()];
}

function bar(at) {
  return [start[at] / clock.millis, (start[at] + units.millis[at]) / clock.millis, units.slot[at]];
}

function unitInWords(at) {
  const partition = units.partition[at];
  const lines = [
    `<b>trial ${units.trial[at]}</b>, epoch ${units.epoch[at]}, ${partition < 0 ? "validation" : "partition " + partition}`,
    `loss ${number(units.loss[at])}`,
    `slot ${units.slots[units.slot[at]]}, ${number(units.millis[at])} ms from ${number(start[at] / clock.millis)} ${clock.unit}`,
    `try ${units.retried[at] || 1} (term ${term[at]}, attempt ${attempt[at]})`,
  ];
  return lines.join("<br>");
}

function failureInWords(failed) {
  const what = failed.partition < 0 ? "validation" : "partition " + failed.partition;
  return `<b>failed: trial ${failed.trial}</b>, epoch ${failed.epoch}, ${what}<br>${escaped(failed.why)}`;
}

function unitShape(colours) {
  return (params, api) => {
    const at = bars[params.dataIndex];
    const trial = units.trial[at];
    const [x, y] = api.coord([api.value(0), api.value(2)]);
    const least = cells ? Math.ceil(params.coordSys.width / cells) : 1;
    const width = Math.max(least, api.coord([api.value(1), 0])[0] - x);
    const full = Math.max(2, api.size([0, 1])[1] * 0.82);
    const height = units.partition[at] < 0 ? full / 2 : full;
    const area = params.coordSys;
    const from = Math.max(x, area.x);
    const to = Math.min(x + width, area.x + area.width);
    if (to <= from) return null;
    const fill = trial === marked ? palette.accent : colours[trial];
    const opacity = marked === null || trial === marked ? 1 : 0.18;
    const shape = { type: "rect", shape: { x: from, y: y - height / 2, width: to - from, height }, style: { fill, opacity } };
    if (to - from < LABEL_FROM || full < 12 || opacity < 1) return shape;
    const label = { text: String(trial), fill: "#fff", stroke: fill, lineWidth: 2, fontSize: 10 };
    return { ...shape, textContent: { style: label }, textConfig: { position: "inside" } };
  };
}

// The way of the marked trial from slot to slot.
function hops() {
  const path = [];
  for (let at = 0; at < unitCount; at++) {
    if (units.trial[at] !== marked) continue;
    const [from, to, slot] = bar(at);
    path.push([from, slot], [to, slot]);
  }
  return path;
}

function timeline() {
  const count = units.slots.length;
  const colours = Array.from({ length: trialCount }, (_, trial) => colourOf(trial));
  const failed = units.failed.map(one => ({
    trial: one.trial, value: [one.at / clock.millis, one.slot], words: failureInWords(one),
  }));
  const window = { startValue: view[0] / clock.millis, endValue: view[1] / clock.millis };
  bars = barsInView();
  const every = Math.max(1, Math.ceil(count / 40));
  const label = { formatter: at => Number.isInteger(at) && at % every === 0 ? units.slots[at] ?? "" : "" };
  return {
    grid: { left: 62, right: 24, top: 12, bottom: 84 },
    xAxis: numberAxis(`running time (${clock.unit})`, { 
      min: 0, max: lastMoment / clock.millis, odd: true, scale: false, nameGap: 26, splitLine: { show: false },
    }),
    yAxis: axis({
      label,
      axis: {
        type: "value", name: "slot", nameLocation: "middle", nameGap: 40, inverse: true,
        min: -0.5, max: Math.max(count, 1) - 0.5, interval: 0.5, splitLine: { show: false }, axisTick: { show: false },
      },
    }),
    dataZoom: [
      { type: "slider", ...window, showDataShadow: false, bottom: 10, height: 22, filterMode: "none", textStyle: { color: palette.faint }, labelFormatter: number },
      { type: "inside", ...window, zoomOnMouseWheel: "ctrl", filterMode: "none" },
    ],
    series: [
      {
        id: "units", type: "custom", dimensions: ["from", "to", "slot"], encode: { x: [0, 1], y: 2 }, data: bars.map(bar),
        renderItem: unitShape(colours), tooltip: { formatter: at => unitInWords(bars[at.dataIndex]) },
        progressive: 0, markLine: interruptions(),
      },
      { type: "line", symbol: "none", silent: true, data: hops(), lineStyle: { color: palette.ink, width: 1 } },
      {
        type: "scatter", data: failed, symbolSize: 13, itemStyle: { color: palette.alarm, borderColor: palette.card, borderWidth: 1.5 },
        symbol: "path://M0 2L2 0L6 4L10 0L12 2L8 6L12 10L10 12L6 8L2 12L0 10L4 6Z",
        tooltip: { formatter: at => at.data.words },
      },
    ],
  };
}

function showTimeline() {
  const { frame, controls } = section("Hop timeline",
    "A bar for each unit, coloured by its trial: watch the trials hop from slot to slot. Lower bars are validations, crosses failed tries. " +
    "Narrow the window below the axis to zoom in (or turn the wheel with Ctrl), drag to move.");
  const label = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "number", id: "marked", min: 0, max: Math.max(0, trialCount - 1), placeholder: "none" });
  input.addEventListener("change", () => {
    const trial = input.value === "" ? null : Number(input.value);
    marked = null;
    mark(trial in trials.ends ? trial : null);
  });
  label.append("mark trial ", input);
  controls.append(label);
  const height = Math.min(900, Math.max(200, 100 + 24 * units.slots.length));
  const { chart } = figure(frame, height, timeline);
  chart.on("click", { seriesIndex: 0 }, event => mark(units.trial[bars[event.dataIndex]]));
  chart.on("datazoom", () => {
    const { startValue, endValue } = chart.getOption().dataZoom[0];
    view = [startValue * clock.millis, endValue * clock.millis];
    bars = barsInView();
    chart.setOption({ series: [{ id: "units", data: bars.map(bar) }] }, { lazyUpdate: true });
  });
}
