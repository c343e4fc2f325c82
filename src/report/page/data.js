// What the run says, decoded: differences summed up, columns by trial. Nothing here draws.
"use strict";

const root = document.documentElement;
root.dataset.drawn = 0;
root.dataset.errors = "";
window.addEventListener("error", event => { root.dataset.errors += event.message + "\n"; });

const content = JSON.parse(document.getElementById("content").textContent);
const { trials, units, parameters } = content;
const trialCount = trials.ends.length;
const unitCount = units.trial.length;
const ranks = new Array(trialCount);
trials.ranking.forEach((trial, rank) => { ranks[trial] = rank; });

const start = summed(units.start);
const term = summed(units.term);
const attempt = summed(units.attempt);
const ranked = trials.ranking.filter(trial => trials.objective[trial] !== null);

// The trial that is marked in every figure; null for none.
let marked = null;

const lastMoment = units.failed.reduce(
  (last, failed) => Math.max(last, failed.at),
  start.reduce((last, from, at) => Math.max(last, from + units.millis[at]), 1));
const clock = clockFor(lastMoment);

function summed(differences) {
  let sum = 0;
  return Float64Array.from(differences, step => (sum += step));
}

// The unit of time in which a span reads best, and its milliseconds.
function clockFor(millis) {
  if (millis < 3e3) return { unit: "ms", millis: 1 };
  if (millis < 3 * 6e4) return { unit: "s", millis: 1e3 };
  if (millis < 3 * 36e5) return { unit: "min", millis: 6e4 };
  return { unit: "h", millis: 36e5 };
}

function number(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return Number(value.toPrecision(3)).toExponential().replace("e+", "e");
  return String(Number(value.toPrecision(5)));
}

// The value of a trial on a parameter's axis, in words.
function valueOf(parameter, trial) {
  const at = parameter.at[trial];
  if (at === null) return "–";
  return parameter.range === "choice" ? parameter.values[at] : number(at);
}

// A few values can hide all others: those axes are logarithmic where they can be.
function wantsLog(values) {
  const sorted = values.filter(value => value !== null).sort((a, b) => a - b);
  if (sorted.length < 3 || sorted[0] <= 0) return false;
  const middle = sorted[sorted.length >> 1];
  return sorted[sorted.length - 1] > 30 * middle || middle > 30 * sorted[0];
}
