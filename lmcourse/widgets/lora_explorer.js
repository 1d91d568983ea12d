// What the rank of LoRA buys: trained parameters, how much of a real update it could hold, measured accuracy. The pure
// functions compute what lmcourse.widgets.lora_explorer computes.

// ---- ranks, parameters, error ----

export const trainedParameters = (updates, rank) => updates.reduce(
  (sum, { shape: [rows, columns], count }) => sum + count * Math.min(rank, rows, columns) * (rows + columns), 0);

export function reconstructionError(spectrum, rank) {
  const energy = (values) => values.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(energy(spectrum.slice(rank)) / energy(spectrum));
}

// The stops of the slider: every small rank, then steps of some percent, up to the full one, and the ranks given.
export function rankStops(full, also) {
  const steps = Array.from({ length: 61 }, (_, i) => Math.round(full ** (i / 60)));
  return [...new Set([...steps, ...also.filter((rank) => rank <= full), full])].sort((a, b) => a - b);
}

// About four round numbers from low to high.
export function ticks(low, high) {
  const rough = (high - low) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.ceil(low / step - 1e-9);
  const count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, i) => Number(((first + i) * step).toPrecision(6)));
}

// ---- what the figure says ----

const number = (value) => value.toLocaleString("en-US");

export function percent(share) {
  if (share > 0 && share < 0.0001) return "<0.01%";
  return `${(100 * share).toFixed(share < 0.1 ? 2 : 1)}%`;
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export function describeAccuracy(accuracies, full, rank) {
  const said = (values) => `${percent(mean(values))} (${percent(Math.min(...values))} to ${percent(Math.max(...values))})`;
  const found = accuracies.find(([measured]) => measured === rank);
  const here = found ? said(found[1]) : `not measured; ranks ${accuracies.map(([measured]) => measured).join(", ")} were`;
  return `Rank ${rank}: ${here}. Full fine-tuning: ${said(full)}.`;
}

export function describeError({ spectrum, random }, rank) {
  const [left, noise] = [reconstructionError(spectrum, rank), reconstructionError(random, rank)];
  return `The best matrix of rank ${rank} misses the update by ${percent(left)} of its norm; a random matrix by ${percent(noise)}.`;
}

// ---- the figure ----

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function drawing(tag, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const PLOT = { width: 340, height: 200, left: 48, right: 12, top: 10, bottom: 42 };

// Axes over the rank, logarithmic, the same for all three plots; `y` maps from low at the bottom to high at the top.
function plot(title, full, low, high, write, marks) {
  const { width, height, left, right, top, bottom } = PLOT;
  const x = (rank) => left + (width - left - right) * (Math.log(rank) / Math.log(full));
  const y = (value) => top + (height - top - bottom) * ((high - value) / (high - low));
  const text = (at, content, more) => drawing("text", { x: at[0], y: at[1], ...more }, content);
  const powers = Array.from({ length: Math.floor(Math.log2(full) / 2) + 1 }, (_, i) => 4 ** i);
  const svg = drawing("svg", { class: "lm-lora-plot", role: "img", viewBox: `0 0 ${width} ${height}` },
    ...powers.flatMap((rank) => [
      drawing("path", { class: "lm-lora-grid", d: `M${x(rank)} ${top}V${height - bottom}` }),
      text([x(rank), height - bottom + 16], String(rank), { "text-anchor": "middle" })]),
    ...ticks(low, high).flatMap((value) => [
      drawing("path", { class: "lm-lora-grid", d: `M${left} ${y(value)}H${width - right}` }),
      text([left - 6, y(value) + 4], write(value), { "text-anchor": "end" })]),
    text([(left + width - right) / 2, height - 6], title, { "text-anchor": "middle" }),
    ...marks({ x, y, end: width - right }));
  const now = drawing("path", { class: "lm-lora-now" });
  svg.append(now);
  return { svg, x, y, move: (rank) => now.setAttribute("d", `M${x(rank)} ${top}V${height - bottom}`) };
}

const line = (kind, points) => drawing("path", {
  class: kind, d: points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join(""),
});

// Singular values as shares of the norm.
const relative = (spectrum) => {
  const norm = Math.hypot(...spectrum);
  return spectrum.map((value) => value / norm);
};

function spectrumPlot({ spectrum, random }, full) {
  const [share, noise] = [spectrum, random].map(relative);
  const through = (kind, values, { x, y }) => line(kind, values.map((value, i) => [x(i + 1), y(value)]));
  return plot("i, largest first", full, 0, Math.max(share[0], noise[0]), percentTick, (place) => [
    through("lm-lora-random", noise, place), through("lm-lora-line", share, place)]);
}

const percentTick = (value) => `${Number((100 * value).toPrecision(4))}%`;

function errorPlot({ spectrum, random }, full, stops) {
  const through = (kind, values, { x, y }) =>
    line(kind, stops.map((rank) => [x(rank), y(reconstructionError(values, rank))]));
  const made = plot("rank r", full, 0, 1, percentTick, (place) => [
    through("lm-lora-random", random, place), through("lm-lora-line", spectrum, place)]);
  const dot = drawing("circle", { class: "lm-lora-dot lm-lora-large", r: 6 });
  made.svg.append(dot);
  const move = (rank) => {
    made.move(rank);
    dot.setAttribute("cx", made.x(rank));
    dot.setAttribute("cy", made.y(reconstructionError(spectrum, rank)));
  };
  return { svg: made.svg, move };
}

function accuracyPlot(accuracies, fullValues, full) {
  const all = [...fullValues, ...accuracies.flatMap(([, values]) => values)];
  const pad = 0.1 * (Math.max(...all) - Math.min(...all)) || 0.01;
  const [low, high] = [Math.min(...all) - pad, Math.max(...all) + pad];
  return plot("rank r", full, low, high, percentTick, ({ x, y, end }) => {
    const [most, least] = [Math.max(...fullValues), Math.min(...fullValues)];
    return [
      drawing("rect", { class: "lm-lora-band", x: x(1), y: y(most), width: end - x(1), height: Math.max(y(least) - y(most), 1) }),
      line("lm-lora-full", [[x(1), y(mean(fullValues))], [end, y(mean(fullValues))]]),
      line("lm-lora-line", accuracies.map(([rank, values]) => [x(rank), y(mean(values))])),
      ...accuracies.flatMap(([rank, values]) => values.map((value) =>
        drawing("circle", { class: "lm-lora-dot", cx: x(rank), cy: y(value), r: 4 }))),
    ];
  });
}

function render({ model, el }) {
  const [updates, total, accuracies, fullValues] = ["updates", "total", "accuracies", "full"].map((name) => model.get(name));
  const full = Math.max(...updates.map(({ shape }) => Math.min(...shape)), ...accuracies.map(([rank]) => rank));
  const stops = rankStops(full, [model.get("rank"), ...accuracies.map(([rank]) => rank)]);
  const slider = element("input", { type: "range", min: 0, max: stops.length - 1, step: 1, "aria-label": "Rank" });
  slider.value = stops.indexOf(Math.min(model.get("rank"), full));
  const matrix = element("select", { "aria-label": "Matrix" },
    ...updates.map(({ name, shape }, i) => element("option", { value: i }, `${name} (${shape.join(" × ")})`)));
  const shown = element("strong");
  const figures = element("p", { class: "lm-lora-figures" });
  const [spectrum, error, accuracy] = ["", "", ""].map(() => element("div"));
  const [missing, scores] = [element("p", { class: "lm-detail" }), element("p", { class: "lm-detail" })];
  const status = element("p", { class: "lm-status", role: "status", "aria-live": "polite" });
  const measured = accuracyPlot(accuracies, fullValues, full);
  accuracy.replaceChildren(measured.svg);
  let plots, update, timer;

  const show = () => {
    const rank = stops[slider.valueAsNumber];
    const trained = trainedParameters(updates, rank);
    shown.textContent = `r = ${rank}`;
    slider.setAttribute("aria-valuetext", String(rank));
    figures.textContent = `${number(trained)} trained parameters, ${percent(trained / total)} of ${number(total)}`;
    missing.textContent = describeError(update, Math.min(rank, update.spectrum.length));
    scores.textContent = describeAccuracy(accuracies, fullValues, rank);
    for (const { move } of [...plots, measured]) move(rank);
    plots[0].svg.setAttribute("aria-label", `Singular values of ${update.name} by their place`);
    plots[1].svg.setAttribute("aria-label", `Error by rank; ${missing.textContent}`);
    measured.svg.setAttribute("aria-label", `Accuracy by rank; ${scores.textContent}`);
    clearTimeout(timer);
    timer = setTimeout(() => { status.textContent = `${figures.textContent}. ${missing.textContent} ${scores.textContent}`; }, 500);
  };
  const open = () => {
    update = updates[matrix.selectedIndex];
    plots = [spectrumPlot(update, full), errorPlot(update, full, stops)];
    [spectrum, error].forEach((place, i) => place.replaceChildren(plots[i].svg));
    show();
  };
  slider.addEventListener("input", show);
  matrix.addEventListener("change", open);
  open();
  clearTimeout(timer);

  const part = (title, ...nodes) => element("section", { "aria-label": title }, element("p", { class: "lm-title" }, title), ...nodes);
  el.replaceChildren(
    element("div", { class: "lm-lora-controls" },
      element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, "Rank ", shown), slider),
      element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, "Full fine-tuning's update of"), matrix)),
    figures,
    element("div", { class: "lm-lora-parts" },
      part("Relative singular values", spectrum),
      part("Error of the best matrix of rank r", error, missing),
      part("Test accuracy of LoRA", accuracy, scores)),
    element("p", { class: "lm-note" }, "Ranks are drawn on a logarithmic axis; the upright line is the rank of the slider. "
      + "Dashed: a random matrix of the same shape and norm. Dots: one seed each; red: full fine-tuning, its mean and range."),
    status,
  );
}

export default { render };
