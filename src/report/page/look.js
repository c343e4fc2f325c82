// How figures look in light and dark, and the frame that each stands in.

const dark = matchMedia("(prefers-color-scheme: dark)");
const figures = [];
let palette = readPalette();

function readPalette() {
  const style = getComputedStyle(root);
  const of = name => style.getPropertyValue("--" + name).trim();
  const names = ["card", "ink", "faint", "rule", "accent", "alarm", "worst", "middle", "best"];
  const colours = Object.fromEntries(names.map(name => [name, of(name)]));
  return { ...colours, light: of("trial-light") };
}

// Neighbours in number are far apart in hue.
function colourOf(trial) {
  return `hsl(${(trial * 137.508 % 360).toFixed(0)} 58% ${palette.light})`;
}

// From the best trial's colour to the worst's, by rank: a single outlier spoils no scale.
function shadeOf(trial) {
  const share = ranked.length > 1 ? ranks[trial] / (ranked.length - 1) : 0;
  const [from, to, at] = share < 0.5
    ? [palette.best, palette.middle, share * 2] : [palette.middle, palette.worst, share * 2 - 1];
  return echarts.color.lerp(at, [from, to]);
}

function escaped(text) {
  return echarts.format.encodeHTML(String(text));
}

function trialInWords(trial) {
  const lines = [`<b>trial ${trial}</b>, ${escaped(trials.ends[trial].replace("_", " "))}`];
  if (trials.objective[trial] !== null) {
    const where = `rank ${ranks[trial] + 1}, epoch ${trials.best_epoch[trial]}`;
    lines.push(`${escaped(content.metric)} ${number(trials.objective[trial])} (${where})`);
  }
  for (const parameter of parameters.slice(0, 12)) {
    lines.push(`${escaped(parameter.name)} ${escaped(valueOf(parameter, trial))}`);
  }
  return lines.join("<br>");
}

function axis(more) {
  return {
    nameTextStyle: { color: palette.faint },
    axisLabel: { color: palette.faint, hideOverlap: true, ...more.label },
    axisLine: { onZero: false, lineStyle: { color: palette.rule } },
    axisTick: { lineStyle: { color: palette.rule } },
    splitLine: { lineStyle: { color: palette.rule, opacity: 0.6 } },
    minorSplitLine: { show: false },
    ...more.axis,
  };
}

// `odd`: the axis ends at an odd number, which gets no label.
function numberAxis(name, { odd, ...more }) {
  const label = { formatter: number, ...odd && { showMaxLabel: false } };
  const axisOf = { type: "value", name, nameLocation: "middle", scale: true, ...more };
  return axis({ label, axis: axisOf });
}

function basis(more) {
  return {
    animation: false,
    textStyle: { color: palette.ink, fontFamily: "inherit" },
    tooltip: {
      trigger: "item",
      confine: true,
      backgroundColor: palette.card,
      borderColor: palette.rule,
      textStyle: { color: palette.ink, fontSize: 12 },
      extraCssText: "max-width: 420px; white-space: normal; overflow-wrap: anywhere",
    },
    ...more,
  };
}

// A section with a heading, a note and room for controls and charts.
function section(title, note) {
  const frame = document.createElement("section");
  const heading = document.createElement("h2");
  const words = document.createElement("p");
  const controls = document.createElement("div");
  heading.textContent = title;
  words.textContent = note;
  words.className = "note";
  controls.className = "controls";
  frame.append(heading, words, controls);
  document.getElementById("figures").append(frame);
  return { frame, controls };
}

// What a chart shows, for those who do not see it: its section's heading and note, and where there
// are several charts in it, its own name. The numbers are in the ranking.
function described(element, name) {
  const [heading, note] = ["h2", ".note"].map(part => element.closest("section").querySelector(part).textContent);
  return `${heading}${name ? ": " + name : ""}. ${note}`;
}

// A chart that redraws with `option()` when the mark, a control or the colours change.
function figure(parent, height, option, { minimum, name } = {}) {
  const element = document.createElement("div");
  element.style.height = height + "px";
  if (minimum) element.style.minWidth = minimum + "px";
  parent.append(element);
  element.setAttribute("role", "img");
  const aria = { enabled: true, label: { description: described(element, name) } };
  const chart = echarts.init(element);
  const one = { chart, draw: () => chart.setOption(basis({ aria, ...option() }), { notMerge: true }) };
  let first = true;
  chart.on("finished", () => {
    if (first) drawn();
    first = false;
  });
  chart.on("click", event => {
    const trial = event.data && event.data.trial;
    if (trial !== undefined) mark(trial);
  });
  figures.push(one);
  new ResizeObserver(() => chart.resize()).observe(element);
  return one;
}

function drawn() {
  root.dataset.drawn = Number(root.dataset.drawn) + 1;
  if (Number(root.dataset.drawn) === figures.length) root.dataset.millis = Math.round(performance.now());
}

function mark(trial) {
  marked = trial === marked ? null : trial;
  showMark();
  figures.forEach(one => one.draw());
}

function ramp(controls) {
  const legend = document.createElement("span");
  const bar = document.createElement("span");
  bar.className = "ramp";
  legend.append("best trial", bar, "worst");
  controls.append(legend);
}

// Vertical lines where the study was interrupted.
function interruptions() {
  return {
    silent: true,
    symbol: "none",
    animation: false,
    label: { show: false },
    lineStyle: { color: palette.alarm, type: "dashed", width: 1 },
    data: content.interruptions.map(at => ({ xAxis: at / clock.millis })),
  };
}
