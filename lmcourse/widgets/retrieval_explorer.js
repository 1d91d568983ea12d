// What words and vectors find for a question, and both fused. The pure functions compute what
// lmcourse.retrieval.fusion and lmcourse.widgets.retrieval_explorer compute.

// ---- rankings ----

export const CONSTANT = 60;

// Keys with their fused scores, the best first, equal ones by their keys.
export function fuse(rankings) {
  const scores = new Map();
  for (const ranking of rankings)
    ranking.forEach((key, i) => scores.set(key, (scores.get(key) ?? 0) + 1 / (CONSTANT + i + 1)));
  return [...scores].sort(([a, x], [b, y]) => y - x || a - b);
}

export function rankingsOf({ lexical, dense }) {
  return { lexical, dense, fused: fuse([lexical, dense]).map(([key]) => key) };
}

// The rank of a key, from 1; 0 if it was not found.
export const rankOf = (ranking, key) => ranking.indexOf(key) + 1;

export const firstRight = (ranking, right) => ranking.findIndex((key) => right.includes(key)) + 1;

// ---- what the figure says ----

const NAMES = { lexical: "Words", dense: "Vectors", fused: "Both, fused" };

export function describe(query, kind, k) {
  const ranking = rankingsOf(query)[kind];
  const top = ranking.slice(0, k);
  const right = top.filter((key) => query.right.includes(key)).length;
  const first = firstRight(ranking, query.right);
  const where = first ? `the first right one has rank ${first}` : "none that is right was found";
  return `${NAMES[kind]}: ${right} of the first ${top.length} are right; ${where}.`;
}

export function describeRanks(ranks, key) {
  const said = (kind) => `${NAMES[kind].toLowerCase()} ${rankOf(ranks[kind], key) || "–"}`;
  return Object.keys(NAMES).map(said).join(" · ");
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

const SIZE = 360;
const at = ([x, y]) => [SIZE / 2 + (SIZE / 2 - 14) * x, SIZE / 2 - (SIZE / 2 - 14) * y];

function mapOf(places, query, top) {
  const dot = (key, more) => {
    const [cx, cy] = at(places[key]);
    return drawing("circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), r: 3, ...more });
  };
  const right = new Set(query.right);
  const found = new Map(top.map((key, i) => [key, i + 1]));
  const quiet = places.map((_, key) => key).filter((key) => !found.has(key));
  const [x, y] = at(query.place.map((value) => Math.max(-1, Math.min(1, value))));
  const svg = drawing("svg", { class: "lm-search-map", role: "img", viewBox: `0 0 ${SIZE} ${SIZE}` },
    ...quiet.map((key) => dot(key, right.has(key) ? { class: "lm-search-right", r: 4 } : { class: "lm-search-dot" })),
    ...[...found].reverse().map(([key, rank]) => {
      const [cx, cy] = at(places[key]);
      return drawing("g", { class: "lm-search-found" },
        dot(key, { r: 9, class: right.has(key) ? "lm-search-good" : "lm-search-bad" }),
        drawing("text", { x: cx.toFixed(1), y: (cy + 4).toFixed(1), "text-anchor": "middle" }, String(rank)));
    }),
    drawing("path", { class: "lm-search-query", d: `M${x - 8} ${y}H${x + 8}M${x} ${y - 8}V${y + 8}` }));
  return svg;
}

function listOf(texts, query, ranks, top) {
  return top.map((key) => {
    const right = query.right.includes(key);
    return element("li", { class: right ? "lm-search-hit lm-search-hit-right" : "lm-search-hit" },
      element("span", { class: "lm-search-mark" }, right ? "✓ right" : "✗"),
      element("span", {}, ` ${texts[key]}`),
      element("span", { class: "lm-search-ranks" }, describeRanks(ranks, key)));
  });
}

let number = 0;

function render({ model, el }) {
  const [texts, places, queries, k] = ["texts", "places", "queries", "k"].map((name) => model.get(name));
  const group = `lm-search-${number += 1}`;
  const question = element("select", { "aria-label": "Question" },
    ...queries.map(({ text }, i) => element("option", { value: i }, text)));
  const radios = Object.entries(NAMES).map(([kind, name]) => {
    const input = element("input", { type: "radio", name: group, value: kind });
    input.checked = kind === "fused";
    return { kind, input, label: element("label", { class: "lm-search-kind" }, input, ` ${name}`) };
  });
  const most = Math.max(1, Math.min(10, Math.max(...queries.map((query) => rankingsOf(query).fused.length))));
  const slider = element("input", { type: "range", min: 1, max: most, step: 1, "aria-label": "Passages" });
  slider.value = Math.min(k, most);
  const shown = element("strong");
  const said = element("p", { class: "lm-search-said" });
  const map = element("div");
  const list = element("ol", { class: "lm-search-list" });
  const status = element("p", { class: "lm-status", role: "status", "aria-live": "polite" });
  let timer;

  const show = () => {
    const query = queries[question.selectedIndex];
    const { kind } = radios.find(({ input }) => input.checked);
    const count = slider.valueAsNumber;
    const ranks = rankingsOf(query);
    const top = ranks[kind].slice(0, count);
    shown.textContent = `k = ${count}`;
    slider.setAttribute("aria-valuetext", `${count}`);
    said.textContent = describe(query, kind, count);
    const svg = mapOf(places, query, top);
    svg.setAttribute("aria-label", `Map of ${texts.length} passages; ${said.textContent}`);
    map.replaceChildren(svg);
    list.replaceChildren(...listOf(texts, query, ranks, top));
    clearTimeout(timer);
    timer = setTimeout(() => { status.textContent = said.textContent; }, 500);
  };
  question.addEventListener("change", show);
  for (const { input } of radios) input.addEventListener("change", show);
  slider.addEventListener("input", show);
  show();
  clearTimeout(timer);

  el.replaceChildren(
    element("div", { class: "lm-search-controls" },
      element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, "Question"), question),
      element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, "Passages ", shown), slider)),
    element("div", { class: "lm-search-kinds", role: "radiogroup", "aria-label": "Search by" },
      element("span", { class: "lm-title" }, "Search by"), ...radios.map(({ label }) => label)),
    said,
    element("div", { class: "lm-search-parts" },
      element("section", { "aria-label": "Map" }, element("p", { class: "lm-title" }, "Passages on a plane"), map,
        element("p", { class: "lm-note" }, "Cross: the question. Numbers: the passages found, by rank, green if right. Rings: "
          + "right passages that were not. The plane holds the two directions in which the vectors differ most; in all "
          + "directions neighbours are others.")),
      element("section", { "aria-label": "Passages found" }, element("p", { class: "lm-title" }, "Passages found"), list)),
    status,
  );
}

export default { render };
