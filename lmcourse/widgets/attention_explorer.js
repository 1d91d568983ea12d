// The masks of the chapter in the browser, and the figure that shows them beside the attention of real models. The
// pure functions compute what lmcourse.models.masks computes.

// ---- masks ----

const near = (distance, window, step) => Math.abs(distance) <= (window - 1) * step && distance % step === 0;

// For each pattern: the settings it has besides the length, whether it can be causal, and which query t may attend to
// which key s.
const PATTERNS = {
  encoder: { title: "Encoder: all pairs", may: () => true },
  decoder: { title: "Decoder: no later key", may: (t, s) => s <= t },
  prefix: { title: "Prefix: its tokens see each other", has: ["prefix"], may: (t, s, o) => s <= t || s < o.prefix },
  local: { title: "Local: a window", has: ["window"], sided: true, may: (t, s, o) => near(t - s, o.window, 1) },
  dilated: {
    title: "Dilated: a window with gaps", has: ["window", "step"], sided: true,
    may: (t, s, o) => near(t - s, o.window, o.step),
  },
  global: {
    title: "Global: some tokens see all, and a window", has: ["globals", "window"], sided: true,
    may: (t, s, o) => t < o.globals || s < o.globals || near(t - s, o.window, 1),
  },
  cross: { title: "Cross: a decoder looks at its source", has: ["source"], may: () => true },
  packed: {
    title: "Packed: documents side by side", has: ["documents"], sided: true,
    may: (t, s, o) => documentOf(t, o) === documentOf(s, o),
  },
};

const documentOf = (position, { documents, length }) => Math.floor((position * documents) / length);

// Whether query t may attend to key s, as a function; `options` holds the pattern, the length and the settings.
export function maskOf(options) {
  const { may, sided } = PATTERNS[options.pattern];
  const causal = sided && options.causal;
  return (t, s) => may(t, s, options) && (!causal || s <= t);
}

export const keysOf = ({ pattern, length, source }) => (pattern === "cross" ? source : length);

export function countPairs(options) {
  const may = maskOf(options);
  const keys = keysOf(options);
  let count = 0;
  for (let t = 0; t < options.length; t++) for (let s = 0; s < keys; s++) if (may(t, s)) count += 1;
  return count;
}

// ---- weights ----

// The weights of a sentence as a function of layer, head, query and key, all counted from 0.
export function unpack({ tokens, heads, causal, weights }) {
  const bytes = Uint8Array.from(atob(weights), (character) => character.charCodeAt(0));
  const size = tokens.length;
  const area = causal ? (size * (size + 1)) / 2 : size * size;
  return (layer, head, t, s) => {
    if (causal && s > t) return 0;
    const row = causal ? (t * (t + 1)) / 2 : t * size;
    return bytes[(layer * heads + head) * area + row + s] / 255;
  };
}

// The keys that a row of weights is largest at.
export function strongest(row, count) {
  const order = row.map((_, s) => s).sort((a, b) => row[b] - row[a] || a - b);
  return order.slice(0, count).filter((s) => row[s] > 0);
}

// ---- the figure ----

const number = (value) => value.toLocaleString("en-US");

export function describeCost(options) {
  const all = options.length * keysOf(options);
  const count = countPairs(options);
  return `${number(count)} of ${number(all)} pairs (${((100 * count) / all).toFixed(1)}%)`;
}

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

const field = (title, control) => element("label", { class: "lm-field" }, element("span", {}, title), control);

const choice = (title, names) => {
  const select = element("select", { "aria-label": title }, ...names.map((name, i) => element("option", { value: i }, name)));
  return Object.assign(select, { field: field(title, select) });
};

// A slider whose name and value stand above it.
const slider = (title, low, high, value) => {
  const input = element("input", { type: "range", min: low, max: high, step: 1, value, "aria-label": title });
  const shown = element("strong", {}, String(value));
  const show = () => { shown.textContent = input.value; };
  input.addEventListener("input", show);
  const box = element("label", { class: "lm-field" }, element("span", {}, `${title}: `, shown), input);
  return Object.assign(input, { field: box, show });
};

// The book turns its pages with the arrow keys.
const keepArrows = (node) => node.addEventListener("keydown", (event) => {
  if (event.key.startsWith("Arrow")) event.stopPropagation();
});

// Shades grow with the square root of the weight, so that small weights can be seen.
const shade = (weight) => Math.sqrt(weight).toFixed(3);

function paintSmall(canvas, size, weight) {
  canvas.width = size;
  canvas.height = size;
  const picture = new ImageData(size, size);
  for (let i = 0; i < size * size; i++) {
    picture.data.set([47, 143, 216, 255 * Math.sqrt(weight(Math.floor(i / size), i % size))], 4 * i);
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

const CELL = 20;

// The map of one head: queries are rows, keys are columns, the tokens on both sides.
class LargeMap {
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.svg = drawing("svg", { class: "lm-map", role: "img" });
    this.svg.addEventListener("mouseover", (event) => {
      const row = event.target.closest("[data-row]");
      if (row) this.onChoose(Number(row.dataset.row));
    });
  }

  draw(tokens, weight, label) {
    const size = tokens.length * CELL;
    const edge = 14 + 7.9 * Math.min(12, Math.max(...tokens.map((token) => [...token].length)));
    const short = (token) => ([...token].length > 12 ? `${[...token].slice(0, 11).join("")}…` : token);
    this.svg.setAttribute("viewBox", `${-edge} ${-edge} ${size + edge + 1} ${size + edge + 1}`);
    this.svg.setAttribute("aria-label", label);
    const middle = (i) => (i + 0.5) * CELL;
    const columns = tokens.map((token, s) => drawing("text", {
      transform: `translate(${middle(s)}, -6) rotate(-90)`, "dominant-baseline": "central",
    }, short(token)));
    this.rows = tokens.map((token, t) => {
      const cells = tokens.map((_, s) => drawing("rect", {
        x: s * CELL, y: t * CELL, width: CELL, height: CELL, class: "lm-cell", "fill-opacity": shade(weight(t, s)),
      }));
      const name = drawing("text", { x: -6, y: middle(t), "text-anchor": "end", "dominant-baseline": "central" }, short(token));
      const ground = drawing("rect", { x: -edge, y: t * CELL, width: size + edge, height: CELL, class: "lm-ground" });
      return drawing("g", { "data-row": t }, ground, name, ...cells);
    });
    this.frame = drawing("rect", { x: 0, width: size, height: CELL, class: "lm-frame" });
    this.svg.replaceChildren(...columns, ...this.rows, this.frame);
  }

  choose(query) {
    this.rows.forEach((row, t) => row.classList.toggle("lm-chosen", t === query));
    this.frame.setAttribute("y", query * CELL);
  }
}

// The sentence as a row of chips with one tab stop: what the chosen token attends to is shaded, with the weight below.
class Sentence {
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.list = element("div", {
      class: "lm-chips lm-attended", role: "listbox", "aria-orientation": "horizontal", "aria-label": "Tokens", translate: "no",
    });
    const place = (event) => [...this.list.children].indexOf(event.target.closest?.(".lm-chip"));
    this.list.addEventListener("mouseover", (event) => place(event) >= 0 && this.onChoose(place(event)));
    this.list.addEventListener("focusin", (event) => place(event) >= 0 && this.onChoose(place(event)));
    this.list.addEventListener("keydown", (event) => this.move(event, place(event)));
  }

  draw(tokens) {
    this.list.replaceChildren(...tokens.map((token) => element("span", { class: "lm-chip", role: "option" },
      element("span", {}, token), element("span", { class: "lm-weight" }))));
  }

  choose(query, row, spoken) {
    [...this.list.children].forEach((chip, s) => {
      chip.setAttribute("aria-selected", String(s === query));
      chip.setAttribute("aria-label", s === query ? spoken : chip.firstChild.textContent);
      chip.tabIndex = s === query ? 0 : -1;
      chip.style.setProperty("--lm-shade", shade(row[s]));
      chip.lastChild.textContent = row[s].toFixed(2);
    });
  }

  move(event, place) {
    const last = this.list.children.length - 1;
    const [next, previous] = [place + 1, place - 1];
    const keys = { ArrowRight: next, ArrowDown: next, ArrowLeft: previous, ArrowUp: previous, Home: 0, End: last };
    const to = keys[event.key];
    if (to === undefined || place < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.list.children[Math.min(Math.max(to, 0), last)].focus();
  }
}

function attentionPart(models, announce) {
  const names = Object.keys(models);
  const model = choice("Model", names);
  const sentence = choice("Sentence", []);
  const layer = slider("Layer", 1, 1, 1);
  const heads = element("fieldset", { class: "lm-heads" });
  const detail = element("p", { class: "lm-detail" });
  const title = element("p", { class: "lm-title" });
  let query = -1;
  let head = 0;
  let weight = () => 0;

  const given = () => models[names[model.selectedIndex]];
  const shown = () => given()[sentence.selectedIndex];
  const choose = (t) => {
    query = t;
    const { tokens } = shown();
    const row = tokens.map((_, s) => weight(layer.valueAsNumber - 1, head, t, s));
    const most = strongest(row, 3).map((s) => `“${tokens[s]}” ${row[s].toFixed(2)}`).join(", ");
    detail.textContent = `“${tokens[t]}” attends most to ${most}.`;
    large.choose(t);
    chips.choose(t, row, detail.textContent);
  };
  const large = new LargeMap(choose);
  const chips = new Sentence(choose);

  const drawHead = () => {
    const { tokens } = shown();
    const place = `Layer ${layer.value}, head ${head + 1}`;
    title.textContent = place;
    const at = (t, s) => weight(layer.valueAsNumber - 1, head, t, s);
    large.draw(tokens, at, `${place}: attention weights, a row for each of ${tokens.length} tokens`);
    choose(query);
    announce(`${place}. ${detail.textContent}`);
  };
  const drawLayer = () => {
    const { tokens, heads: count } = shown();
    const legend = element("legend", {}, `Heads of layer ${layer.value}`);
    heads.replaceChildren(legend, ...Array.from({ length: count }, (_, h) => {
      const input = element("input", { type: "radio", name: "head", value: h, "aria-label": `Head ${h + 1}` });
      input.checked = h === head;
      const canvas = element("canvas", { "aria-hidden": "true" });
      paintSmall(canvas, tokens.length, (t, s) => weight(layer.valueAsNumber - 1, h, t, s));
      return element("label", { class: "lm-head-choice" }, input, canvas, element("span", {}, String(h + 1)));
    }));
    drawHead();
  };
  const drawSentence = () => {
    const { tokens, layers, heads: count } = shown();
    weight = unpack(shown());
    layer.max = layers;
    layer.show();
    head = Math.min(head, count - 1);
    query = query < 0 ? tokens.length - 1 : Math.min(query, tokens.length - 1);
    chips.draw(tokens);
    drawLayer();
  };
  const drawModel = () => {
    sentence.replaceChildren(...given().map(({ text }, i) => element("option", { value: i }, text)));
    query = -1;
    drawSentence();
  };
  model.addEventListener("change", drawModel);
  sentence.addEventListener("change", () => { query = -1; drawSentence(); });
  layer.addEventListener("input", drawLayer);
  heads.addEventListener("change", (event) => { head = Number(event.target.value); drawHead(); });
  keepArrows(heads);
  drawModel();

  const note = "Rows of a map are the tokens that look, columns what they look at; the fuller the colour, the more (it grows "
    + "with the square root of the weight). Point at a token, or reach it by Tab and arrow keys.";
  return element("section", { "aria-label": "Attention" },
    element("form", { class: "lm-controls" }, model.field, sentence.field, layer.field, heads),
    element("div", { class: "lm-two" },
      element("div", {}, title, large.svg),
      element("div", {}, element("p", { class: "lm-title" }, "What a token attends to"), chips.list, detail,
        element("p", { class: "lm-note" }, note))));
}

const SETTINGS = {
  prefix: ["Prefix", 0, 64, 5], window: ["Window", 1, 32, 3], step: ["Step", 1, 8, 2],
  globals: ["Global tokens", 0, 16, 1], source: ["Source length", 1, 64, 24], documents: ["Documents", 1, 8, 3],
};
const LONG = 1024;

function maskPart(announce) {
  const names = Object.keys(PATTERNS);
  const pattern = choice("Mask", names.map((name) => PATTERNS[name].title));
  pattern.selectedIndex = names.indexOf("decoder");
  const length = slider("Length", 4, 64, 16);
  const settings = Object.fromEntries(Object.entries(SETTINGS).map(([name, values]) => [name, slider(...values)]));
  const causal = element("input", { type: "checkbox" });
  const causalField = element("label", { class: "lm-check" }, causal, " no later key (causal)");
  const grid = drawing("svg", { class: "lm-mask", role: "img" });
  const cost = element("p", { class: "lm-cost" });
  const long = element("p", { class: "lm-note" });

  const update = () => {
    const name = names[pattern.selectedIndex];
    const { has = [], sided = false } = PATTERNS[name];
    for (const [key, input] of Object.entries(settings)) input.field.hidden = !has.includes(key);
    causalField.hidden = !sided;
    const values = Object.fromEntries(Object.entries(settings).map(([key, input]) => [key, input.valueAsNumber]));
    const options = { pattern: name, length: length.valueAsNumber, causal: causal.checked, ...values };
    const keys = keysOf(options);
    const may = maskOf(options);
    let path = "";
    for (let t = 0; t < options.length; t++) {
      for (let s = 0; s < keys; s++) if (may(t, s)) path += `M${s + 0.05} ${t + 0.05}h.9v.9h-.9z`;
    }
    cost.textContent = describeCost(options);
    long.textContent = `The same with ${number(LONG)} tokens: ${describeCost({ ...options, length: LONG })}.`;
    grid.setAttribute("viewBox", `0 0 ${keys} ${options.length}`);
    grid.setAttribute("aria-label", `${PATTERNS[name].title}, ${cost.textContent}`);
    grid.replaceChildren(drawing("rect", { width: keys, height: options.length, class: "lm-ground" }),
      drawing("path", { d: path, class: "lm-cell" }));
    announce(grid.getAttribute("aria-label"));
  };
  const controls = [pattern, length, ...Object.values(settings), causal];
  for (const control of controls) control.addEventListener("input", update);
  update();

  return element("section", { "aria-label": "Masks", class: "lm-masks" },
    element("p", { class: "lm-title" }, "Masks and what they cost"),
    element("div", { class: "lm-two" },
      element("div", {}, pattern.field, length.field, ...Object.values(settings).map((input) => input.field),
        causalField, element("p", { class: "lm-title" }, "Query-key pairs"), cost, long),
      element("div", {}, grid,
        element("p", { class: "lm-note" }, "Rows are queries, columns are keys; a pair that is coloured is computed."))));
}

function render({ model, el }) {
  const status = element("p", { class: "lm-status", role: "status", "aria-live": "polite" });
  let timer;
  const announce = (message) => {
    clearTimeout(timer);
    timer = setTimeout(() => { status.textContent = message; }, 500);
  };
  el.replaceChildren(attentionPart(model.get("models"), announce), maskPart(announce), status);
  clearTimeout(timer);
}

export default { render };
