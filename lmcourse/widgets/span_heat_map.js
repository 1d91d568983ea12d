// Which span answers the question: start and end probabilities over a passage, and their product over legal spans. The
// pure functions compute what lmcourse.widgets.span_heat_map computes.

// ---- spans ----

export const isLegal = (first, last, longest) => first <= last && last < first + longest;

export const probability = ({ start, end }, first, last, longest) =>
  (isLegal(first, last, longest) ? start[first] * end[last] : 0);

// The legal spans from the most to the least probable; among equals the one that begins first, then the shortest.
export function rankedSpans(question, longest) {
  const spans = [];
  for (let first = 0; first < question.start.length; first++) {
    for (let last = first; isLegal(first, last, longest) && last < question.end.length; last++) {
      spans.push({ first, last, share: probability(question, first, last, longest) });
    }
  }
  return spans.sort((a, b) => b.share - a.share || a.first - b.first || a.last - b.last);
}

// Python counts characters, JavaScript halves of some.
export const spanText = ({ passage, offsets }, first, last) =>
  [...passage].slice(offsets[first][0], offsets[last][1]).join("");

// ---- what the figure says ----

export function percent(share) {
  if (share < 0.0001) return "<0.01%";
  return `${(100 * share).toFixed(share < 0.1 ? 2 : 1)}%`;
}

export function describe(question, first, last, longest) {
  const product = `start ${percent(question.start[first])} × end ${percent(question.end[last])}`;
  if (first > last) return `No legal span: it would end before it starts (${product}).`;
  if (!isLegal(first, last, longest)) return `No legal span: more than ${longest} tokens (${product}).`;
  return `“${spanText(question, first, last)}”: ${product} = ${percent(question.start[first] * question.end[last])}`;
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

// Sizes in cells of the map: the bars beside it, the gap between, and what the names of the axes take.
const [BAR, GAP, NAME] = [0.16, 0.02, 0.07];
// Spans that are less probable would not be seen.
const VISIBLE = 0.0005;

// Rows are start tokens, columns are end tokens; beside the rows and above the columns stand their probabilities.
class HeatMap {
  constructor(onChoose) {
    this.svg = drawing("svg", { class: "lm-span-map", role: "img" });
    const choose = (event) => {
      const box = this.svg.getBoundingClientRect();
      const at = (from, size) => Math.floor(((from / size) * (this.size + this.edge + this.margin)) - this.edge);
      const [row, column] = [at(event.clientY - box.top, box.height), at(event.clientX - box.left, box.width)];
      if (Math.min(row, column) >= 0 && Math.max(row, column) < this.size) onChoose(row, column);
    };
    this.svg.addEventListener("pointermove", (event) => event.pointerType === "mouse" && choose(event));
    this.svg.addEventListener("pointerdown", choose);
  }

  draw(question, longest, [best]) {
    const size = question.start.length;
    Object.assign(this, { size, edge: size * (BAR + GAP + NAME), margin: size * 0.01 });
    const all = size + this.edge + this.margin;
    this.svg.setAttribute("viewBox", `${-this.edge} ${-this.edge} ${all} ${all}`);
    const cell = (kind, first, last, more = {}) => drawing("rect", { class: kind, x: last, y: first, width: 1, height: 1, ...more });
    const around = (kind, by, [first, last]) =>
      drawing("rect", { class: kind, x: last - by, y: first - by, width: 1 + 2 * by, height: 1 + 2 * by });
    const legal = question.start.map((_, first) => {
      const width = Math.min(longest, size - first);
      return `M${first} ${first}h${width}v1h${-width}z`;
    }).join("");
    const cells = rankedSpans(question, longest).filter(({ share }) => share >= VISIBLE)
      .map(({ first, last, share }) => cell("lm-span-heat", first, last, { "fill-opacity": Math.sqrt(share).toFixed(3) }));
    const [full, from] = [size * BAR, -size * GAP];
    const rows = question.start.map((share, i) => drawing("rect",
      { class: "lm-span-start", x: from - full * share, y: i + 0.1, width: full * share, height: 0.8 }));
    const columns = question.end.map((share, i) => drawing("rect",
      { class: "lm-span-end", x: i + 0.1, y: from - full * share, width: 0.8, height: full * share }));
    const away = -size * (BAR + GAP + 0.02);
    const name = (text, more) => drawing("text", { "font-size": size * 0.05, "text-anchor": "middle", ...more }, text);
    this.row = drawing("rect", { class: "lm-span-beam", x: -this.edge, height: 1, width: all });
    this.column = drawing("rect", { class: "lm-span-beam", y: -this.edge, width: 1, height: all });
    this.chosen = cell("lm-span-chosen", 0, 0);
    const answer = question.answer && around("lm-span-answer", size * 0.02, question.answer);
    this.svg.replaceChildren(drawing("path", { class: "lm-span-ground", d: legal }), this.row, this.column, ...cells,
      ...rows, ...columns, around("lm-span-best", size * 0.01, [best.first, best.last]), ...(answer ? [answer] : []), this.chosen,
      name("start token", { transform: `translate(${away}, ${size / 2}) rotate(-90)` }),
      name("end token", { x: size / 2, y: away }));
  }

  choose(first, last, spoken) {
    for (const node of [this.row, this.chosen]) node.setAttribute("y", first);
    for (const node of [this.column, this.chosen]) node.setAttribute("x", last);
    this.svg.setAttribute("aria-label", `Probability of each span, by start and end token. Chosen: ${spoken}`);
  }
}

// The passage, each token over two bars: its probability as start, and as end.
function drawPassage(list, question) {
  const bar = (kind, share) => element("span", { class: `lm-span-bar ${kind}`, style: `height: ${100 * share}%` });
  list.replaceChildren(...question.start.map((share, i) => element("span", { class: "lm-chip" },
    element("span", { class: "lm-span-bars", "aria-hidden": "true" }, bar("lm-span-start", share), bar("lm-span-end", question.end[i])),
    spanText(question, i, i))));
}

// A slider over the tokens of the passage, which says the token.
function tokenSlider(title) {
  const input = element("input", { type: "range", min: 0, step: 1, "aria-label": title });
  const shown = element("strong", { translate: "no" });
  const set = (value, token, share) => {
    input.value = value;
    shown.textContent = `${token} (${percent(share)})`;
    input.setAttribute("aria-valuetext", token);
  };
  return { input, set, field: element("label", { class: "lm-field" }, element("span", {}, `${title}: `, shown), input) };
}

function render({ model, el }) {
  const [questions, longest] = ["questions", "longest"].map((name) => model.get(name));
  const select = element("select", { "aria-label": "Question" },
    ...questions.map(({ question }, i) => element("option", { value: i }, question)));
  const [from, to] = [tokenSlider("Start token"), tokenSlider("End token")];
  const back = element("button", { type: "button" }, "Most probable span");
  const passage = element("p", { class: "lm-chips lm-span-passage", translate: "no" });
  const detail = element("p", { class: "lm-detail lm-span-detail" });
  const first5 = element("ol", { class: "lm-span-list", "aria-label": "Most probable spans" });
  const mass = element("p", { class: "lm-note" });
  const status = element("p", { class: "lm-status", role: "status", "aria-live": "polite" });
  let question, ranked, timer;

  const choose = (first, last) => {
    from.set(first, spanText(question, first, first), question.start[first]);
    to.set(last, spanText(question, last, last), question.end[last]);
    detail.textContent = describe(question, first, last, longest);
    map.choose(first, last, detail.textContent);
    const legal = isLegal(first, last, longest);
    [...passage.children].forEach((chip, i) => chip.classList.toggle("lm-span-inside", legal && first <= i && i <= last));
    clearTimeout(timer);
    timer = setTimeout(() => { status.textContent = detail.textContent; }, 500);
  };
  const map = new HeatMap(choose);
  const toBest = () => choose(ranked[0].first, ranked[0].last);
  const open = () => {
    question = questions[select.selectedIndex];
    ranked = rankedSpans(question, longest);
    for (const { input } of [from, to]) input.max = question.start.length - 1;
    drawPassage(passage, question);
    map.draw(question, longest, ranked);
    const right = ({ first, last }) => question.answer?.[0] === first && question.answer[1] === last;
    first5.replaceChildren(...ranked.slice(0, 5).map((span) => element("li", {},
      element("span", { translate: "no" }, spanText(question, span.first, span.last)), ` ${percent(span.share)}`,
      right(span) ? " ✓" : "")));
    const total = ranked.reduce((sum, { share }) => sum + share, 0);
    mass.textContent = `All legal spans together: ${percent(total)}. The rest of the product lies on pairs that are no spans.`;
    toBest();
  };
  const moved = () => choose(from.input.valueAsNumber, to.input.valueAsNumber);
  for (const { input } of [from, to]) input.addEventListener("input", moved);
  select.addEventListener("change", open);
  back.addEventListener("click", toBest);
  open();

  el.replaceChildren(
    element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, "Question"), select),
    passage, detail,
    element("div", { class: "lm-span-sides" },
      element("section", { "aria-label": "Map" }, map.svg),
      element("section", { "aria-label": "Spans" }, from.field, to.field, element("p", {}, back),
        element("p", { class: "lm-title" }, "The five most probable spans"), first5, mass,
        element("p", { class: "lm-note" }, "Point at the map or press it, or move the sliders. The fuller the colour, the more "
          + "probable (it grows with the square root). Framed in orange: the most probable; green and dashed, and ✓: "
          + "the right answer. Bars over a token: its probability as start (blue) and as end (red)."))),
    status,
  );
  clearTimeout(timer);
}

export default { render };
