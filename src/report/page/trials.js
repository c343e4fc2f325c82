// Learning curves and the objective over time.

let metric = content.metric;

// Worst first, so that the best lies on top; the marked trial above all.
function drawingOrder() {
  const order = [...trials.ranking].reverse();
  return marked === null ? order : [...order.filter(trial => trial !== marked), marked];
}

function lineOf(trial) {
  const many = trialCount > 60;
  if (trial === marked) return { color: palette.accent, width: 3, opacity: 1 };
  const opacity = marked !== null ? 0.15 : many ? 0.6 : 0.9;
  return { color: shadeOf(trial), width: ranks[trial] === 0 ? 3 : many ? 1 : 1.6, opacity };
}

function curves() {
  const known = trials.curves[metric] || [];
  const order = drawingOrder().filter(trial => (known[trial] || []).some(value => value !== null));
  const points = trial => known[trial].map((value, at) => [at + 1, value]).filter(point => point[1] !== null);
  const epochs = order.reduce((most, trial) => Math.max(most, known[trial].length), 1);
  const log = wantsLog(order.flatMap(trial => known[trial]));
  const hover = { formatter: at => curveInWords(at.data.trial, known[at.data.trial]) };
  const item = trial => ({ trial, coords: points(trial), lineStyle: lineOf(trial) });
  const extremes = trial => {
    const values = points(trial).map(point => point[1]);
    return [[1, Math.min(...values)], [1, Math.max(...values)]];
  };
  const last = trial => ({
    trial,
    value: points(trial).at(-1),
    itemStyle: { color: lineOf(trial).color, opacity: lineOf(trial).opacity },
  });
  return {
    grid: { left: 70, right: 24, top: 16, bottom: 46 },
    xAxis: numberAxis("epoch", {
      min: epochs === 1 ? 0 : 1, max: epochs === 1 ? 2 : epochs, minInterval: 1, nameGap: 28,
    }),
    yAxis: numberAxis(metric, { type: log ? "log" : "value", nameGap: 52 }),
    series: [
      {
        type: "lines", progressive: 0, coordinateSystem: "cartesian2d", polyline: true, tooltip: hover,
        emphasis: { lineStyle: { width: 4, opacity: 1 } },
        data: order.filter(trial => points(trial).length > 1).map(item),
      },
      { type: "scatter", progressive: 0, symbolSize: trialCount > 60 ? 4 : 7, tooltip: hover, data: order.map(last) },
      // Lines do not stretch an axis, dots do, even those of no size.
      { type: "scatter", symbolSize: 0, silent: true, data: order.flatMap(extremes) },
    ],
  };
}

function curveInWords(trial, values) {
  const list = values.length > 12 ? ["…", ...values.slice(-12).map(number)] : values.map(number);
  return `${trialInWords(trial)}<br>${escaped(metric)} by epoch: ${list.join(", ")}`;
}

function showCurves() {
  const { frame, controls } = section("Learning curves",
    "A line for each trial; it ends where the trial ended. Failed trials end at their last validated epoch.");
  const label = document.createElement("label");
  const select = document.createElement("select");
  for (const name of Object.keys(trials.curves)) {
    select.append(new Option(name, name, name === metric, name === metric));
  }
  label.append("metric ", select);
  controls.append(label);
  ramp(controls);
  const chart = figure(frame, 380, curves);
  select.addEventListener("change", () => {
    metric = select.value;
    chart.draw();
  });
}

// Every validated epoch: when, what, whose.
function results() {
  const list = [];
  const values = trials.curves[content.metric] || [];
  trials.validated.forEach((differences, trial) => {
    summed(differences).forEach((at, epoch) => {
      const value = (values[trial] || [])[epoch];
      if (value !== null && value !== undefined) list.push({ trial, epoch: epoch + 1, at, value });
    });
  });
  return list.sort((a, b) => a.at - b.at);
}

const allResults = results();

function bestSoFar() {
  const better = content.maximize ? (a, b) => a > b : (a, b) => a < b;
  let best = null;
  const steps = [];
  for (const { at, value } of allResults) {
    if (best === null || better(value, best)) steps.push([at / clock.millis, best = value]);
  }
  if (best !== null) steps.push([lastMoment / clock.millis, best]);
  return steps;
}

function overTime() {
  const log = wantsLog(allResults.map(result => result.value));
  const words = at => `${trialInWords(at.data.trial)}<br>epoch ${at.data.epoch}: ${number(at.data.value[1])}`;
  const dot = ({ trial, epoch, at, value }) => {
    const { color, opacity } = lineOf(trial);
    return { trial, epoch, value: [at / clock.millis, value], itemStyle: { color, opacity } };
  };
  return {
    grid: { left: 70, right: 24, top: 16, bottom: 46 },
    xAxis: numberAxis(`running time (${clock.unit})`, {
      min: 0, max: lastMoment / clock.millis, odd: true, scale: false, nameGap: 28,
    }),
    yAxis: numberAxis(content.metric, { type: log ? "log" : "value", nameGap: 52 }),
    series: [
      {
        type: "scatter", progressive: 0, symbolSize: allResults.length > 500 ? 4 : 8, tooltip: { formatter: words },
        data: allResults.map(dot), markLine: interruptions(),
      },
      {
        type: "line", step: "end", symbol: "none", silent: true, data: bestSoFar(),
        lineStyle: { color: palette.accent, width: 2 },
      },
    ],
  };
}

function showOverTime() {
  const { frame, controls } = section("Objective over time",
    "A dot for each validated epoch, a line for the best so far. Interruptions take no time; dashed lines mark them.");
  ramp(controls);
  figure(frame, 340, overTime);
}
