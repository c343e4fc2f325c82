// Shows everything, once.

showHead();
showBest();
showRanking();
showCurves();
showParallel();
showOverTime();
showAgainst();
showTimeline();
root.dataset.figures = figures.length;
figures.forEach(one => one.draw());
dark.addEventListener("change", () => {
  palette = readPalette();
  figures.forEach(one => one.draw());
});
