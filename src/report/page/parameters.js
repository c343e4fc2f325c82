// The searched parameters against each other and against the objective.

// A place in a list of values cannot be told from its neighbours if dots lie on each other.
function jitter(trial) {
  return ((trial * 0.618034) % 1 - 0.5) * 0.4;
}

function cut(text, length) {
  return text.length > length ? text.slice(0, length - 1) + "…" : text;
}

function parallelAxis(parameter, dim) {
  const shared = {
    dim,
    name: cut(parameter.name, 18),
    nameTextStyle: { color: palette.ink },
    z: 20,
    axisLabel: {
      color: palette.ink, backgroundColor: palette.card, padding: [1, 3], borderRadius: 2,
      formatter: number, showMinLabel: true, showMaxLabel: true,
    },
    axisLine: { lineStyle: { color: palette.faint } },
    axisTick: { lineStyle: { color: palette.faint } },
  };
  if (parameter.range === "choice") {
    const axisLabel = { ...shared.axisLabel, formatter: text => cut(text, 14), interval: parameter.values.length > 25 ? "auto" : 0 };
    return { ...shared, type: "category", data: parameter.values, axisLabel };
  }
  const { low, high, log } = parameter;
  return { ...shared, type: log ? "log" : "value", min: low, max: high };
}

// The objective as the last axis, with the range that its values ask for.
function objectiveAxis(dim) {
  const log = wantsLog(ranked.map(trial => trials.objective[trial]));
  return { ...parallelAxis({ name: content.metric, range: "numbers", log }, dim), scale: true };
}

function parallel() {
  const axes = [...parameters.map(parallelAxis), objectiveAxis(parameters.length)];
  const place = (parameter, trial) => {
    const at = parameter.at[trial];
    return at !== null && parameter.range === "choice" ? parameter.values[at] : at;
  };
  const line = trial => {
    const objective = trials.objective[trial];
    const value = [...parameters.map(parameter => place(parameter, trial)), objective].map(at => at ?? "-");
    const failed = { color: palette.alarm, width: 1, opacity: 0.7, type: "dashed" };
    return { trial, value, lineStyle: objective === null && trial !== marked ? failed : lineOf(trial) };
  };
  return {
    parallel: { left: 60, right: 80, top: 36, bottom: 24 },
    parallelAxis: axes,
    series: [{
      type: "parallel",
      progressive: 0,
      tooltip: { formatter: at => trialInWords(at.data.trial) },
      inactiveOpacity: 0.03,
      activeOpacity: 1,
      emphasis: { lineStyle: { width: 4, opacity: 1 } },
      data: drawingOrder().map(line),
    }],
  };
}

function showParallel() {
  const { frame, controls } = section("Parallel coordinates",
    "A line for each trial through its configuration to its objective. Drag along an axis to keep what passes there; a click on the axis lets go.");
  ramp(controls);
  const wide = document.createElement("div");
  wide.className = "wide";
  frame.append(wide);
  figure(wide, 400, parallel, { minimum: 130 * (parameters.length + 1) });
}

function parameterAxis(parameter) {
  const name = { name: cut(parameter.name, 40), nameGap: 28 };
  if (parameter.range === "numbers") {
    return numberAxis(name.name, { ...name, type: parameter.log ? "log" : "value", min: parameter.low, max: parameter.high });
  }
  const formatter = at => cut(parameter.values[at] ?? "", 12);
  const last = parameter.values.length - 0.5;
  const whole = { min: -0.5, max: last, interval: 1 };
  const all = { customValues: parameter.values.map((_, at) => at), formatter };
  return axis({ label: all, axis: { type: "value", nameLocation: "middle", ...name, ...whole, splitLine: { show: false }, axisTick: { show: false } } });
}

function against(parameter) {
  const log = wantsLog(ranked.map(trial => trials.objective[trial]));
  const dot = trial => {
    const at = parameter.at[trial] + (parameter.range === "choice" ? jitter(trial) : 0);
    const { color, opacity } = lineOf(trial);
    return { trial, value: [at, trials.objective[trial]], itemStyle: { color, opacity } };
  };
  const known = drawingOrder().filter(trial => trials.objective[trial] !== null && parameter.at[trial] !== null);
  return {
    grid: { left: 62, right: 20, top: 12, bottom: 46 },
    xAxis: parameterAxis(parameter),
    yAxis: numberAxis(content.metric, { type: log ? "log" : "value", nameGap: 46 }),
    series: [{
      type: "scatter", progressive: 0, symbolSize: trialCount > 200 ? 4 : 8, data: known.map(dot),
      tooltip: { formatter: at => trialInWords(at.data.trial) },
    }],
  };
}

function showAgainst() {
  const { frame, controls } = section("Each parameter against the objective",
    "A dot for each trial with a result, at its best epoch. Values of a list are spread a little, so that dots do not hide each other.");
  ramp(controls);
  const many = document.createElement("div");
  many.className = "many";
  frame.append(many);
  for (const parameter of parameters) {
    figure(many, 250, () => against(parameter), { name: parameter.name });
  }
}
