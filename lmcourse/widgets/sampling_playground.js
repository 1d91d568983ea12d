// The filters of the chapter in the browser, and the figure that plays with them. The pure functions compute what
// lmcourse.decoding.filters computes, in the same order: temperature, top-k, nucleus, min-p.

// ---- distributions ----

const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;

// The logits of all tokens in falling order: the stored ones, then each bin of the histogram evenly filled.
export function unpackLogits({ logits, tail }, size) {
  const out = new Float64Array(size);
  const top = new Float32Array(bytesOf(logits));
  out.set(top);
  const counts = new Uint16Array(bytesOf(tail.counts));
  const width = (tail.high - tail.low) / counts.length;
  let at = top.length;
  for (let bin = counts.length - 1; bin >= 0; bin--) {
    const count = counts[bin];
    for (let i = 0; i < count; i++) out[at + i] = tail.low + width * (bin + 1 - (i + 0.5) / count);
    at += count;
  }
  return out;
}

export const unpackPlaces = ({ places }) => new Uint16Array(bytesOf(places));

// exp(z/τ) of logits in falling order, the first one 1; τ = 0 leaves the first.
function heat(logits, temperature) {
  if (temperature === 0) return logits.map((_, i) => (i ? 0 : 1));
  return logits.map((z) => Math.exp((z - logits[0]) / temperature));
}

const sum = (values, end) => {
  let total = 0;
  for (let i = 0; i < end; i++) total += values[i];
  return total;
};

// The entropy in nats of the first `end` weights, made to sum to 1.
function entropy(weights, end) {
  const total = sum(weights, end);
  let out = Math.log(total);
  for (let i = 0; i < end; i++) if (weights[i]) out -= (weights[i] / total) * Math.log(weights[i]);
  return out;
}

// Filter logits in falling order. A setting that is null is off. Every filter keeps the tokens up to some rank, so the
// result is how many survive, their mass after the temperature, all weights, and the entropies before and after.
export function applyFilters(logits, { temperature = null, k = null, p = null, minP = null }) {
  const weights = heat(logits, temperature ?? 1);
  let kept = temperature === 0 ? 1 : logits.length;
  if (k !== null) kept = Math.min(kept, k);
  if (p !== null && p < 1) {
    const reach = p * sum(weights, kept);
    let end = 0;
    for (let mass = 0; end < kept && mass < reach; end++) mass += weights[end];
    kept = Math.max(end, 1);
  }
  if (minP !== null) while (kept > 1 && weights[kept - 1] < minP) kept -= 1;
  const all = sum(weights, weights.length);
  const inside = sum(weights, kept);
  return {
    weights, kept, all, inside, mass: inside / all,
    before: entropy(heat(logits, 1), logits.length), after: entropy(weights, kept),
  };
}

// A generator of uniform numbers in [0, 1): mulberry32 (Ettinger 2017).
export function seeded(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// The rank, from 0, of the token that a uniform number falls on.
export function drawRank({ weights, kept, inside }, uniform) {
  let left = uniform * inside;
  for (let rank = 0; rank < kept - 1; rank++) {
    left -= weights[rank];
    if (left < 0) return rank;
  }
  return kept - 1;
}

// ---- what the figure says ----

const number = (value) => value.toLocaleString("en-US");
const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

export function percent(share) {
  if (share === 0) return "0";
  if (share < 0.0001) return "<0.01%";
  return `${(100 * share).toFixed(share < 0.1 ? 2 : 1)}%`;
}

export const describeKept = (result) =>
  `${number(result.kept)} of ${plural(result.weights.length, "token")}, ${percent(result.mass)} of the mass`;

export const describeEntropy = ({ before, after }) => `${before.toFixed(2)} → ${after.toFixed(2)} nats`;

// The stops of a slider over many counts: each at the low end, then steps of some percent, up to all.
export function countStops(all) {
  const stops = Array.from({ length: 101 }, (_, i) => Math.round(all ** (i / 100)));
  return [...new Set([...stops, all])];
}

// ---- the figure ----

const BARS = 20;
const REMEMBERED = 12;

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

// A filter: a box that turns it on, and a slider over stops, which turns it on too.
class Control {
  constructor(title, stops, start, on, write = String) {
    Object.assign(this, { stops, write });
    this.box = element("input", { type: "checkbox", "aria-label": `Use ${title}` });
    this.box.checked = on;
    const last = stops.length - 1;
    this.slider = element("input", { type: "range", min: 0, max: last, value: stops.indexOf(start), "aria-label": title });
    this.shown = element("strong");
    this.slider.addEventListener("input", () => { this.box.checked = true; });
    this.field = element("div", { class: "lm-control" },
      element("label", { class: "lm-field" }, this.box, ` ${title}: `, this.shown), this.slider);
  }

  get value() {
    const value = this.stops[this.slider.valueAsNumber];
    this.shown.textContent = this.box.checked ? this.write(value) : "off";
    this.slider.setAttribute("aria-valuetext", this.shown.textContent);
    return this.box.checked ? value : null;
  }
}

function controlsFor(size, nucleus) {
  const steps = (count, by, from = 0) => Array.from({ length: count }, (_, i) => Number((from + i * by).toFixed(4)));
  const small = [0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1];
  const counts = countStops(size);
  const fifty = counts.find((count) => count >= 50) ?? counts.at(-1);
  return {
    temperature: new Control("Temperature", steps(41, 0.05), 1, false, (value) => value.toFixed(2)),
    k: new Control("Top-k", counts, fifty, false, number),
    p: new Control("Nucleus p", steps(100, 0.01, 0.01), nucleus, true, (value) => value.toFixed(2)),
    minP: new Control("Min-p", small, 0.05, false),
  };
}

// The most probable tokens: the pale bar is the model's probability, the full one what it becomes.
function drawBars(list, names, plain, result) {
  const ranks = Array.from({ length: Math.min(BARS, names.length) }, (_, rank) => rank);
  const before = ranks.map((rank) => plain.weights[rank] / plain.all);
  const after = ranks.map((rank) => (rank < result.kept ? result.weights[rank] / result.inside : 0));
  const longest = Math.max(...before, ...after);
  const bar = (kind, share) => element("span", { class: `lm-bar ${kind}`, style: `width: ${(100 * share) / longest}%` });
  list.replaceChildren(...ranks.map((rank) => {
    const out = rank >= result.kept;
    const figures = `${percent(before[rank])} → ${percent(after[rank])}`;
    return element("li", { class: out ? "lm-out" : "lm-in" },
      element("span", { class: "lm-token", translate: "no" }, names[rank]),
      element("span", { class: "lm-bars" }, bar("lm-before", before[rank]), bar("lm-after", after[rank])),
      element("span", { class: "lm-share" }, figures, element("span", { class: "lm-status" }, out ? ", removed" : "")));
  }));
}

const PLOT = { width: 440, height: 210, left: 52, right: 12, top: 10, bottom: 40, lowest: -8 };

// Probability against rank, both logarithmic: before in grey, after in colour, up to the last token that survives.
function drawCurve(svg, plain, result) {
  const { width, height, left, right, top, bottom, lowest } = PLOT;
  const size = plain.weights.length;
  const decades = Math.log10(size);
  const x = (rank) => left + ((width - left - right) * Math.log10(rank)) / decades;
  const y = (share) => top + ((height - top - bottom) * Math.max(Math.log10(share), lowest)) / lowest;
  const path = (weights, total, end) => countStops(end)
    .filter((rank) => rank === 1 || weights[rank - 1] / total > 10 ** lowest)
    .map((rank, i) => `${i ? "L" : "M"}${x(rank).toFixed(1)} ${y(weights[rank - 1] / total).toFixed(1)}`).join("");
  const text = (at, content, more) => drawing("text", { x: at[0], y: at[1], ...more }, content);
  const grid = [];
  for (let power = 0; power <= decades; power++) {
    const across = x(10 ** power);
    grid.push(drawing("path", { class: "lm-grid", d: `M${across} ${top}V${height - bottom}` }),
      text([across, height - bottom + 16], number(10 ** power), { "text-anchor": "middle" }));
  }
  for (let power = 0; power >= lowest; power -= 2) {
    const down = y(10 ** power);
    grid.push(drawing("path", { class: "lm-grid", d: `M${left} ${down}H${width - right}` }),
      text([left - 6, down + 4], power ? `1e${power}` : "1", { "text-anchor": "end" }));
  }
  const edge = x(result.kept);
  svg.replaceChildren(
    drawing("rect", { class: "lm-kept", x: left, y: top, width: Math.max(edge - left, 2), height: height - top - bottom }),
    ...grid,
    drawing("path", { class: "lm-line-before", d: path(plain.weights, plain.all, size) }),
    drawing("path", { class: "lm-line-after", d: path(result.weights, result.inside, result.kept) }),
    drawing("circle", { class: "lm-dot", cx: edge, cy: y(result.weights[result.kept - 1] / result.inside), r: 4 }),
    text([(left + width - right) / 2, height - 4], "rank of the token", { "text-anchor": "middle" }),
  );
}

function render({ model, el }) {
  const [size, names, ids, prompts] = ["size", "names", "ids", "prompts"].map((name) => model.get(name));
  const random = seeded(model.get("seed"));
  const controls = controlsFor(size, model.get("nucleus"));
  const options = prompts.map(({ text }, i) => element("option", { value: i }, text));
  const prompt = element("select", { "aria-label": "Prompt" }, ...options);
  const button = element("button", { type: "button" }, "Draw a token");
  const text = element("p", { class: "lm-text", dir: "auto" });
  const drawn = element("p", { class: "lm-drawn" });
  const kept = element("p", { class: "lm-figures" });
  const change = element("p", { class: "lm-figures" });
  const list = element("ol", { class: "lm-next", "aria-label": "Most probable tokens" });
  const curve = drawing("svg", { class: "lm-curve", role: "img", viewBox: `0 0 ${PLOT.width} ${PLOT.height}` });
  const status = element("p", { class: "lm-status", role: "status", "aria-live": "polite" });
  let chosen, logits, plain, places, result, history, timer;

  // Screen readers hear the figures once a slider rests, not at every step.
  const announce = (message, wait = 500) => {
    clearTimeout(timer);
    timer = setTimeout(() => { status.textContent = message; }, wait);
  };
  const nameOf = (rank) => (rank < places.length ? names[places[rank]] : `rank ${number(rank + 1)}`);
  const update = () => {
    const settings = Object.fromEntries(Object.entries(controls).map(([name, control]) => [name, control.value]));
    result = applyFilters(logits, settings);
    kept.textContent = describeKept(result);
    change.textContent = describeEntropy(result);
    drawBars(list, [...places.slice(0, BARS)].map((place) => names[place]), plain, result);
    drawCurve(curve, plain, result);
    curve.setAttribute("aria-label", `Probability by rank; ${describeKept(result)}`);
    announce(`Survive: ${kept.textContent}. Entropy: ${change.textContent}.`);
  };
  const open = () => {
    chosen = prompts[prompt.selectedIndex];
    logits = unpackLogits(chosen, size);
    plain = applyFilters(logits, {});
    places = unpackPlaces(chosen);
    history = [];
    text.replaceChildren(chosen.text, element("span", { class: "lm-soft" }, " …"));
    drawn.textContent = "Nothing drawn yet.";
    update();
  };
  const draw = () => {
    const rank = drawRank(result, random());
    const name = nameOf(rank);
    const following = rank < places.length ? chosen.continuations[ids[places[rank]]] : undefined;
    text.replaceChildren(chosen.text, element("strong", { class: "lm-chip", translate: "no" }, name), following ?? "",
      element("span", { class: "lm-soft" }, " …"));
    history = [name, ...history].slice(0, REMEMBERED);
    drawn.replaceChildren("Drawn: ", ...history.flatMap((one) => [element("span", { class: "lm-chip", translate: "no" }, one), " "]));
    announce(`${name}${following ?? ""}`, 0);
  };

  prompt.addEventListener("change", open);
  button.addEventListener("click", draw);
  for (const { box, slider } of Object.values(controls)) {
    box.addEventListener("input", update);
    slider.addEventListener("input", update);
  }
  open();

  const figures = (title, node) => element("div", {}, element("p", { class: "lm-title" }, title), node);
  el.replaceChildren(
    element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, "Prompt"), prompt),
    text,
    element("p", { class: "lm-draw" }, button), drawn,
    element("div", { class: "lm-filters", role: "group", "aria-label": "Filters, in their order" },
      ...Object.values(controls).map((control) => control.field)),
    element("div", { class: "lm-filters" }, figures("What survives", kept), figures("Entropy, before and after", change)),
    element("div", { class: "lm-sides" },
      element("section", { "aria-label": "Bars" }, element("p", { class: "lm-title" }, "The most probable tokens"), list,
        element("p", { class: "lm-note" }, "Pale: the model's probability. Full: after the filters. Struck out: removed.")),
      element("section", { "aria-label": "Curve" }, element("p", { class: "lm-title" }, "Probability by rank"), curve,
        element("p", { class: "lm-note" }, "Grey: the model. Blue: after the filters, up to the last token that survives."))),
    status,
  );
  clearTimeout(timer);
}

export default { render };
