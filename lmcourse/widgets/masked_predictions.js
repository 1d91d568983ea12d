// A sentence in which the reader hides one token, and what models predict in its place: stored probabilities.

// ---- what the figure says ----

const number = (value) => value.toLocaleString("en-US");

export function percent(share) {
  if (share < 0.0001) return "<0.01%";
  return `${(100 * share).toFixed(share < 0.1 ? 2 : 1)}%`;
}

export const unpack = ([rank, probability, flat]) => ({
  rank, probability,
  top: Array.from({ length: flat.length / 2 }, (_, i) => ({ token: flat[2 * i], share: flat[2 * i + 1] })),
});

export const describe = (hidden, { rank, probability }) =>
  `Hidden: “${hidden}”, rank ${number(rank)}, ${percent(probability)}.`;

// Where an arrow key leads: the next place in its direction that can be masked, or the same.
export function walk(free, place, key) {
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: 1, End: -1 };
  if (!(key in steps)) return undefined;
  let to = { Home: 0, End: free.length - 1 }[key] ?? place + steps[key];
  while (to >= 0 && to < free.length && !free[to]) to += steps[key];
  return free[to] ? to : place;
}

// ---- the figure ----

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// The predictions of one model: a bar for each token, the hidden one marked.
function bars({ top, rank }, title) {
  const longest = top[0].share || 1;
  return element("ol", { class: "lm-guesses", "aria-label": `Predictions of ${title}` }, ...top.map(({ token, share }, i) =>
    element("li", { class: i + 1 === rank ? "lm-right" : "" },
      element("span", { class: "lm-guess", translate: "no" }, token),
      element("span", { class: "lm-guess-bar" }, element("span", { style: `width: ${(100 * share) / longest}%` })),
      element("span", { class: "lm-guess-share" }, percent(share),
        element("span", { class: "lm-status" }, i + 1 === rank ? ", the hidden token" : "")))));
}

function render({ model, el }) {
  const [mask, models, sentences] = ["mask", "models", "sentences"].map((name) => model.get(name));
  const sentence = element("select", { "aria-label": "Sentence" },
    ...sentences.map(({ text }, i) => element("option", { value: i }, text)));
  const list = element("div", {
    class: "lm-chips", role: "listbox", "aria-orientation": "horizontal", "aria-label": "Token to mask", translate: "no",
  });
  const panels = element("div", { class: "lm-guess-panels" });
  const status = element("p", { class: "lm-status", role: "status", "aria-live": "polite" });
  let shown, free, chips;

  const choose = (place) => {
    chips.forEach((chip, i) => {
      const chosen = i === place;
      chip.textContent = chosen ? mask : shown.tokens[i];
      chip.classList.toggle("lm-hidden", chosen);
      chip.setAttribute("aria-label", chosen ? `${shown.tokens[i]}, masked` : shown.tokens[i]);
      if (!free[i]) return;
      chip.setAttribute("aria-selected", String(chosen));
      chip.tabIndex = chosen ? 0 : -1;
    });
    const hidden = shown.tokens[place];
    const found = models.map((_, i) => unpack(shown.predictions[i][place]));
    panels.replaceChildren(...found.map((prediction, i) => element("section", { "aria-label": models[i] },
      element("p", { class: "lm-title" }, models[i]), bars(prediction, models[i]),
      element("p", { class: "lm-note" }, describe(hidden, prediction)))));
    const best = found.map(({ top }, i) => `${models[i]}: “${top[0].token}”, ${percent(top[0].share)}`);
    status.textContent = `“${hidden}” is hidden. ${best.join("; ")}.`;
  };
  const open = () => {
    shown = sentences[sentence.selectedIndex];
    free = shown.tokens.map((_, i) => shown.predictions[0][i] !== null);
    chips = shown.tokens.map((_, i) => element("span", free[i]
      ? { class: "lm-chip", role: "option" } : { class: "lm-chip lm-fixed", role: "option", "aria-disabled": "true" }));
    list.replaceChildren(...chips);
    const places = [...free.keys()].filter((i) => free[i]);
    choose(places[Math.floor(places.length / 2)]);
  };
  const placeOf = (event) => chips.indexOf(event.target.closest(".lm-chip"));
  list.addEventListener("click", (event) => {
    const place = placeOf(event);
    if (free[place]) { choose(place); chips[place].focus(); }
  });
  // The book turns its pages with the arrow keys.
  list.addEventListener("keydown", (event) => {
    const to = event.ctrlKey || event.metaKey || event.altKey ? undefined : walk(free, placeOf(event), event.key);
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    choose(to);
    chips[to].focus();
  });
  sentence.addEventListener("change", open);
  open();

  el.replaceChildren(
    element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, "Sentence"), sentence), list,
    element("p", { class: "lm-note" }, "Press a token to mask it, or walk with the arrow keys. "
      + "Bars are scaled to the most probable token; ✓ marks the token that was hidden."),
    panels, status,
  );
  status.textContent = "";
}

export default { render };
