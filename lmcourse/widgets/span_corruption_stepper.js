// Span corruption in the browser, step by step. The pure functions compute what lmcourse.objectives.span_corruption
// computes.

// ---- the objective ----

// Each run of noise as one sentinel, in their order: the input.
export function spansToSentinels(tokens, noise, sentinels) {
  let runs = 0;
  return tokens.flatMap((token, i) => {
    if (!noise[i]) return [token];
    return noise[i - 1] ? [] : [sentinels[runs++]];
  });
}

// Each run that is not noise as one sentinel, the spans written out: the target.
export const gapsToSentinels = (tokens, noise, sentinels) =>
  spansToSentinels(tokens, noise.map((hidden) => !hidden), sentinels);

// The text cut where noise begins and ends.
export function segmentsOf(tokens, noise) {
  const segments = [];
  tokens.forEach((token, i) => {
    if (i === 0 || noise[i] !== noise[i - 1]) segments.push({ noise: noise[i], tokens: [] });
    segments.at(-1).tokens.push(token);
  });
  return segments;
}

// ---- what the figure says ----

const plural = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

export function describeNoise(noise) {
  const hidden = noise.filter(Boolean).length;
  const spans = noise.filter((now, i) => now && !noise[i - 1]).length;
  const share = Math.round((100 * hidden) / noise.length);
  return `${hidden} of ${plural(noise.length, "token")} ${hidden === 1 ? "is" : "are"} noise (${share}%), in `
    + `${plural(spans, "span")}.`;
}

// Masks that T5 never draws, and what they lead to.
export function warning(noise) {
  if (!noise.includes(true)) return "Nothing is hidden: the target is one sentinel. T5 hides at least one token.";
  if (!noise.includes(false)) return "Everything is hidden: the input is one sentinel. T5 keeps at least one token.";
  if (noise[0]) {
    return "The first token is hidden, so the target begins without a sentinel, and its sentinels are one behind those "
      + "of the input. T5's noise never begins with the first token.";
  }
  return "";
}

const STEPS = [
  ["Tokens", "The text as the tokenizer cuts it. There are no labels: the text itself gives them."],
  ["Noise mask", "Some tokens are noise: T5 draws 15% of the text, in spans of 3 tokens on average. Press a token to "
    + "hide it or to show it again."],
  ["Spans joined", "Neighbours that are noise are one span, whatever its length; between spans lie gaps."],
  ["Sentinels", "In the input, each span becomes a sentinel, a token that stands for nothing else. In the target it is "
    + "the other way round: each gap becomes a sentinel, and the spans are written out."],
  ["Input and target", "The encoder reads the input, the decoder writes the target. Each sentinel of the target says "
    + "which span follows; a gap after the last span adds one more."],
];

// ---- the figure ----

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

const chip = (token, kind = "") => element("span", { class: `lm-chip ${kind}` }, token);

function render({ model, el }) {
  const sentinels = model.get("sentinels");
  const examples = model.get("examples");
  const names = new Set(sentinels);
  const sentence = element("select", { "aria-label": "Sentence" },
    ...examples.map(({ tokens }, i) => element("option", { value: i }, tokens.join(" "))));
  const back = element("button", { type: "button" }, "← Previous");
  const next = element("button", { type: "button" }, "Next →");
  const reset = element("button", { type: "button" }, "First mask again");
  const title = element("p", { class: "lm-title" });
  const detail = element("p", { class: "lm-detail" });
  const count = element("p", { class: "lm-note lm-span-count" });
  const text = element("div", { class: "lm-chips", role: "group", translate: "no" });
  const table = element("table", { class: "lm-span-table", translate: "no" });
  const alert = element("p", { class: "lm-note lm-span-alert" });
  const results = ["Input", "Target"].map((name) => ({
    name, shown: element("span"), list: element("div", { class: "lm-chips", role: "group", "aria-label": name, translate: "no" }),
  }));
  const status = element("p", { class: "lm-status", role: "status", "aria-live": "polite" });
  const sections = [
    element("section", { "aria-label": "Text" }, text, count),
    element("section", { "aria-label": "Spans" }, element("div", { class: "lm-wide" }, table)),
    element("section", { "aria-label": "Result" }, alert, ...results.flatMap(({ name, shown, list }) => [
      element("p", { class: "lm-title" }, name, shown), list])),
  ];
  let step = 0;
  let tokens, noise, buttons;

  const drawTable = () => {
    const segments = segmentsOf(tokens, noise);
    const line = (name, cells) => element("tr", {}, element("th", { scope: "row" }, name), ...cells);
    const whole = segments.map((segment) => element("td", { class: segment.noise ? "lm-noise" : "" }, segment.tokens.join(" ")));
    const side = (hides) => {
      let used = 0;
      return segments.map((segment) => (segment.noise === hides
        ? element("td", {}, chip(sentinels[used++], "lm-sentinel"))
        : element("td", { class: segment.noise ? "lm-noise" : "" }, segment.tokens.join(" "))));
    };
    table.replaceChildren(line("text", whole));
    if (step > 2) table.append(line("input", side(true)), line("target", side(false)));
  };
  const drawResults = () => {
    const sides = [spansToSentinels(tokens, noise, sentinels), gapsToSentinels(tokens, noise, sentinels)];
    results.forEach(({ list, shown }, i) => {
      shown.textContent = ` (${plural(sides[i].length, "token")})`;
      list.replaceChildren(...sides[i].map((token) => chip(token, names.has(token) ? "lm-sentinel" : "")));
    });
    alert.textContent = warning(noise);
    return `Input: ${sides[0].join(" ")}. Target: ${sides[1].join(" ")}.`;
  };
  const update = () => {
    buttons.forEach((button, i) => {
      button.setAttribute("aria-pressed", String(noise[i]));
      button.classList.toggle("lm-noise", noise[i]);
    });
    count.textContent = step ? describeNoise(noise) : `${plural(tokens.length, "token")}.`;
    drawTable();
    const said = drawResults();
    return step > 3 ? said : "";
  };
  const show = () => {
    const [name, explanation] = STEPS[step];
    title.textContent = `Step ${step + 1} of ${STEPS.length}: ${name}`;
    detail.textContent = explanation;
    // At the ends a button stays focusable, so that the focus of a reader who pressed it is not lost.
    back.setAttribute("aria-disabled", String(step === 0));
    next.setAttribute("aria-disabled", String(step === STEPS.length - 1));
    reset.hidden = step === 0;
    text.setAttribute("aria-label", step ? "Noise mask" : "Tokens");
    text.replaceChildren(...(step ? buttons : tokens.map((token) => chip(token))));
    sections[1].hidden = step < 2;
    sections[2].hidden = step < 4;
    status.textContent = `${title.textContent}. ${explanation} ${update()}`;
  };
  const move = (by) => {
    step = Math.min(Math.max(step + by, 0), STEPS.length - 1);
    show();
  };
  const toggle = (i) => {
    noise[i] = !noise[i];
    const said = update();
    status.textContent = `${describeNoise(noise)} ${said}`;
  };
  const open = () => {
    const example = examples[sentence.selectedIndex];
    tokens = example.tokens;
    noise = [...example.noise];
    buttons = tokens.map((token, i) => {
      const button = element("button", { type: "button", class: "lm-chip" }, token);
      button.addEventListener("click", () => toggle(i));
      return button;
    });
    show();
  };

  sentence.addEventListener("change", open);
  back.addEventListener("click", () => move(-1));
  next.addEventListener("click", () => move(1));
  reset.addEventListener("click", () => {
    noise = [...examples[sentence.selectedIndex].noise];
    status.textContent = `${describeNoise(noise)} ${update()}`;
  });
  open();

  const choice = element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, "Sentence"), sentence);
  el.replaceChildren(
    ...(examples.length > 1 ? [choice] : []),
    element("div", { class: "lm-span-steps" }, back, next, title, reset), detail, ...sections, status,
  );
  status.textContent = "";
}

export default { render };
