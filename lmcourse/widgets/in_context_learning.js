// In-context learning to play with: template, number and labels of the demonstrations, where each question falls. The
// pure functions compute what lmcourse.widgets.in_context_learning computes.

// ---- threshold, accuracy, ranking ----

export function threshold(free) {
  const p = free.reduce((sum, x) => sum + 1 / (1 + Math.exp(-x)), 0) / free.length;
  return Math.log(p / (1 - p));
}

export const accuracy = (odds, truth, at = 0) =>
  odds.reduce((sum, x, i) => sum + (x > at === truth[i] ? 1 : 0), 0) / odds.length;

export function ranking(odds, truth) {
  const [positive, negative] = [true, false].map((label) => odds.filter((_, i) => truth[i] === label));
  const wins = positive.flatMap((p) => negative.map((n) => (p > n ? 1 : p === n ? 0.5 : 0)));
  return wins.reduce((sum, x) => sum + x, 0) / wins.length;
}

export const findCell = (cells, template, labels, shots) =>
  cells.find((cell) => cell.template === template && cell.shots === shots && cell.labels === (shots ? labels : ""));

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export function summary(cell, truth) {
  const calibrated = cell.odds.map((odds, i) => accuracy(odds, truth, threshold(cell.free[i])));
  return {
    raw: mean(cell.odds.map((odds) => accuracy(odds, truth))),
    calibrated: mean(calibrated),
    low: Math.min(...calibrated),
    high: Math.max(...calibrated),
    ranking: mean(cell.odds.map((odds) => ranking(odds, truth))),
  };
}

// ---- what the figure says ----

const percent = (share) => `${Math.round(100 * share)}%`;

export function describe(cell, truth) {
  const { raw, calibrated, low, high, ranking: rank } = summary(cell, truth);
  const sets = cell.odds.length;
  const range = sets > 1 ? ` (${sets} sets: ${percent(low)} to ${percent(high)})` : "";
  return `Calibrated accuracy ${percent(calibrated)}${range}; without calibration ${percent(raw)}; ranking ${rank.toFixed(2)}.`;
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

const PLOT = { width: 340, height: 170, left: 12, right: 12, top: 24, bottom: 40 };
const CURVE = { width: 340, height: 190, left: 44, right: 12, top: 12, bottom: 42 };
const text = (x, y, content, more = {}) => drawing("text", { x, y, ...more }, content);

// The questions at their log-odds, positive ones above; the upright lines are 0 and the calibrated threshold.
function strip(odds, free, truth, questions, reach) {
  const { width, height, left, right, top, bottom } = PLOT;
  const x = (value) => left + (width - left - right) * ((Math.max(-reach, Math.min(reach, value)) + reach) / (2 * reach));
  const at = threshold(free);
  const middle = (top + height - bottom) / 2;
  const places = { true: [top + 8, middle - 8], false: [middle + 8, height - bottom - 8] };
  const seen = { true: 0, false: 0 };
  const dots = odds.map((value, i) => {
    const [from, to] = places[truth[i]];
    const y = from + ((seen[truth[i]]++ % 4) * (to - from)) / 3;
    const right = value > at === truth[i] ? "right" : "wrong";
    const title = drawing("title", {}, `${questions[i]}: log-odds ${value.toFixed(2)}, ${right} after calibration`);
    const kind = `lm-icl-dot lm-icl-${truth[i] ? "positive" : "negative"} lm-icl-${right}`;
    return truth[i]
      ? drawing("circle", { class: kind, cx: x(value), cy: y, r: 5 }, title)
      : drawing("rect", { class: kind, x: x(value) - 4.5, y: y - 4.5, width: 9, height: 9 }, title);
  });
  const near = Math.abs(x(at) - x(0)) < 90;
  return drawing("svg", { class: "lm-icl-plot", role: "img", viewBox: `0 0 ${width} ${height}` },
    drawing("path", { class: "lm-icl-zero", d: `M${x(0)} ${top}V${height - bottom}` }),
    drawing("path", { class: "lm-icl-threshold", d: `M${x(at)} ${top}V${height - bottom}` }),
    text(x(at), top - 8, "calibrated", { "text-anchor": at > reach / 2 ? "end" : at < -reach / 2 ? "start" : "middle" }),
    ...(near ? [] : [text(x(0), top - 8, "even", { "text-anchor": "middle" })]),
    ...dots,
    text(left, height - 22, "← more negative"), text(width - right, height - 22, "more positive →", { "text-anchor": "end" }),
    text(width / 2, height - 5, "log p(positive) − log p(negative)", { "text-anchor": "middle" }));
}

// Calibrated accuracy by the number of shots, a line for each kind of labels.
function curves(cells, template, labels, shots, truth, chosen, now) {
  const { width, height, left, right, top, bottom } = CURVE;
  const x = (i) => left + (width - left - right) * (shots.length > 1 ? i / (shots.length - 1) : 0.5);
  const y = (value) => top + (height - top - bottom) * (1 - value);
  const score = (kind, count) => summary(findCell(cells, template, kind, count), truth).calibrated;
  return drawing("svg", { class: "lm-icl-plot", role: "img", viewBox: `0 0 ${width} ${height}` },
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((value) => [
      drawing("path", { class: "lm-icl-grid", d: `M${left} ${y(value)}H${width - right}` }),
      text(left - 6, y(value) + 4, percent(value), { "text-anchor": "end" })]),
    ...shots.map((count, i) => text(x(i), height - bottom + 16, String(count), { "text-anchor": "middle" })),
    text((left + width - right) / 2, height - 6, "demonstrations", { "text-anchor": "middle" }),
    drawing("path", { class: "lm-icl-zero", d: `M${x(shots.indexOf(now))} ${top}V${height - bottom}` }),
    ...labels.map((kind) => drawing("path", {
      class: `lm-icl-line${kind === chosen ? " lm-icl-chosen" : ""}`,
      d: shots.map((count, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(score(kind, count)).toFixed(1)}`).join(""),
    })),
    drawing("circle", { class: "lm-icl-dot lm-icl-positive", r: 5, cx: x(shots.indexOf(now)), cy: y(score(chosen, now)) }));
}

function render({ model, el }) {
  const [questions, truth, templates, labels, shots, cells] =
    ["questions", "truth", "templates", "labels", "shots", "cells"].map((name) => model.get(name));
  const select = (name, options) => element("select", { "aria-label": name }, ...options.map((option) => element("option", { value: option }, option)));
  const template = select("Template", templates);
  const kind = select("Labels of the demonstrations", labels);
  const slider = element("input", { type: "range", min: 0, max: shots.length - 1, step: 1, "aria-label": "Demonstrations" });
  slider.value = shots.length - 1;
  const set = element("select", { "aria-label": "Set of demonstrations" });
  const shown = element("strong");
  const figures = element("p", { class: "lm-icl-figures" });
  const [dots, lines] = [element("div"), element("div")];
  const prompt = element("pre", { class: "lm-icl-prompt" });
  const status = element("p", { class: "lm-status", role: "status", "aria-live": "polite" });
  const all = cells.flatMap(({ odds, free }) => [...odds.flat(), ...free.flat()].map(Math.abs)).sort((a, b) => a - b);
  const reach = Math.max(all[Math.floor(0.98 * (all.length - 1))], 0.5);
  let timer;

  const show = () => {
    const count = shots[slider.valueAsNumber];
    const cell = findCell(cells, template.value, kind.value, count);
    if (set.options.length !== cell.odds.length) {
      set.replaceChildren(...cell.odds.map((_, i) => element("option", { value: i }, String(i + 1))));
    }
    set.disabled = cell.odds.length === 1;
    kind.disabled = count === 0;
    const which = set.selectedIndex;
    shown.textContent = String(count);
    slider.setAttribute("aria-valuetext", String(count));
    figures.textContent = describe(cell, truth);
    const own = accuracy(cell.odds[which], truth, threshold(cell.free[which]));
    dots.replaceChildren(strip(cell.odds[which], cell.free[which], truth, questions, reach));
    dots.firstChild.setAttribute("aria-label",
      `${questions.length} questions by their log-odds; ${percent(own)} on the right side of the calibrated threshold`);
    lines.replaceChildren(curves(cells, template.value, labels, shots, truth, kind.value, count));
    lines.firstChild.setAttribute("aria-label", `Calibrated accuracy by demonstrations: ${shots.map((n) =>
      `${n}: ${percent(summary(findCell(cells, template.value, kind.value, n), truth).calibrated)}`).join(", ")}`);
    prompt.textContent = cell.prompts[which];
    clearTimeout(timer);
    timer = setTimeout(() => { status.textContent = figures.textContent; }, 500);
  };
  slider.addEventListener("input", show);
  for (const control of [template, kind, set]) control.addEventListener("change", show);
  show();
  clearTimeout(timer);

  const field = (title, control) => element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, ...title), control);
  const part = (title, ...nodes) => element("section", { "aria-label": title }, element("p", { class: "lm-title" }, title), ...nodes);
  el.replaceChildren(
    element("div", { class: "lm-icl-controls" },
      field(["Template"], template), field(["Demonstrations ", shown], slider),
      field(["Their labels"], kind), field(["Set"], set)),
    figures,
    element("div", { class: "lm-icl-parts" },
      part("Where the questions fall", dots),
      part("Calibrated accuracy", lines)),
    part("The prompt, up to the question", prompt),
    element("p", { class: "lm-note" }, "Circles are positive questions, squares negative ones; hollow: wrong after calibration. "
      + "Thick line: the chosen labels, thin: the others; the mean over the sets."),
    status,
  );
}

export default { render };
