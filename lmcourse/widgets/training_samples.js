// What a decoder writes at the checkpoints of its training, beside its loss curve: stored texts and numbers.

// ---- the axes ----

// A step's place in [0, 1] on a logarithmic axis that also has the start: log(1 + step / first), with `first` the
// smallest step that is not 0.
export function stepScale(steps) {
  const [low, high] = [Math.min(...steps), Math.max(...steps)];
  const first = Math.min(...steps.filter((step) => step > 0));
  const at = (step) => Math.log(1 + step / first);
  return (step) => (at(step) - at(low)) / (at(high) - at(low));
}

// Round numbers from low to high, for a logarithmic axis, as long as they stand at least `apart` of it from the last.
export function stepTicks(low, high, place, apart) {
  const round = [0];
  for (let power = 1; power <= high; power *= 10) round.push(power, 2 * power, 5 * power);
  const kept = [];
  for (const step of round) {
    if (step >= low && step <= high && (!kept.length || place(step) - place(kept.at(-1)) >= apart)) kept.push(step);
  }
  return kept;
}

// About four round numbers from low to high.
export function lossTicks(low, high) {
  const rough = (high - low) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9; i++) ticks.push(Number((i * step).toPrecision(6)));
  return ticks;
}

// ---- what the figure says ----

const number = (value) => value.toLocaleString("en-US");

export function short(value) {
  const [unit, size] = [["B", 1e9], ["M", 1e6], ["k", 1e3]].find(([, least]) => value >= least) ?? ["", 1];
  return `${Number((value / size).toPrecision(3))}${unit && ` ${unit}`}`;
}

export const describe = ({ step, tokens, loss }) => `Step ${number(step)}, ${short(tokens)} tokens, validation loss `
  + `${loss.toFixed(2)} nats (perplexity ${number(Number(Math.exp(loss).toPrecision(3)))})`;

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

const PLOT = { width: 340, height: 250, left: 44, right: 14, top: 12, bottom: 44 };

// The curve with a small dot at each checkpoint; `move` brings the large dot to one of them.
function drawCurve(curve, checkpoints) {
  const { width, height, left, right, top, bottom } = PLOT;
  const points = [...curve, ...checkpoints.map(({ step, loss }) => [step, loss])];
  const [steps, losses] = [0, 1].map((side) => points.map((point) => point[side]));
  const [low, high] = [Math.min(...losses), Math.max(...losses)];
  const place = stepScale(steps);
  const x = (step) => left + (width - left - right) * place(step);
  const y = (loss) => top + (height - top - bottom) * (high > low ? (high - loss) / (high - low) : 0.5);
  const text = (at, content, more) => drawing("text", { x: at[0], y: at[1], ...more }, content);
  const middle = { "text-anchor": "middle" };
  const marks = stepTicks(Math.min(...steps), Math.max(...steps), place, 44 / (width - left - right)).flatMap((step) => [
    drawing("path", { class: "lm-samples-grid", d: `M${x(step)} ${top}V${height - bottom}` }),
    text([x(step), height - bottom + 16], short(step).replace(" ", ""), middle)]);
  const levels = lossTicks(low, high).flatMap((loss) => [
    drawing("path", { class: "lm-samples-grid", d: `M${left} ${y(loss)}H${width - right}` }),
    text([left - 6, y(loss) + 4], String(loss), { "text-anchor": "end" })]);
  const path = curve.map(([step, loss], i) => `${i ? "L" : "M"}${x(step).toFixed(1)} ${y(loss).toFixed(1)}`).join("");
  const dot = ({ step, loss }, kind, r) => drawing("circle", { class: kind, cx: x(step), cy: y(loss), r });
  const now = dot(checkpoints[0], "lm-samples-now", 7);
  const svg = drawing("svg", { class: "lm-samples-curve", role: "img", viewBox: `0 0 ${width} ${height}` },
    ...marks, ...levels, drawing("path", { class: "lm-samples-line", d: path }),
    ...checkpoints.map((checkpoint) => dot(checkpoint, "lm-samples-dot", 3)), now,
    text([(left + width - right) / 2, height - 8], "step", middle));
  const move = ({ step, loss }) => {
    now.setAttribute("cx", x(step));
    now.setAttribute("cy", y(loss));
  };
  return { svg, move };
}

function render({ model, el }) {
  const [prompts, checkpoints, curve] = ["prompts", "checkpoints", "curve"].map((name) => model.get(name));
  const last = checkpoints.length - 1;
  const slider = element("input", { type: "range", min: 0, max: last, step: 1, value: last, "aria-label": "Checkpoint" });
  const figures = element("p", { class: "lm-samples-figures" });
  const status = element("p", { class: "lm-status", role: "status", "aria-live": "polite" });
  const { svg, move } = drawCurve(curve, checkpoints);
  // The samples of all checkpoints lie in one place and one is visible, so that nothing jumps when the slider moves.
  const pages = prompts.map((prompt, i) => checkpoints.map(({ samples }) => element("p", { class: "lm-sample", dir: "auto" },
    element("strong", {}, prompt), samples[i])));
  let timer;

  const show = () => {
    const chosen = slider.valueAsNumber;
    pages.forEach((page) => page.forEach((sample, i) => sample.classList.toggle("lm-samples-away", i !== chosen)));
    figures.textContent = describe(checkpoints[chosen]);
    slider.setAttribute("aria-valuetext", `Step ${number(checkpoints[chosen].step)}`);
    svg.setAttribute("aria-label", `Validation loss by step; ${figures.textContent}`);
    move(checkpoints[chosen]);
    clearTimeout(timer);
    timer = setTimeout(() => {
      const said = prompts.map((prompt, i) => `${prompt}${checkpoints[chosen].samples[i]}`);
      status.textContent = `${figures.textContent}. ${said.join(" … ")}`;
    }, 500);
  };
  slider.addEventListener("input", show);
  show();
  clearTimeout(timer);

  el.replaceChildren(
    element("label", { class: "lm-field" }, element("span", { class: "lm-title" }, "Checkpoint"), slider), figures,
    element("div", { class: "lm-samples-sides" },
      element("section", { "aria-label": "Samples" }, element("p", { class: "lm-title" }, "What the model writes"),
        ...pages.map((page) => element("div", { class: "lm-samples-stack" }, ...page))),
      element("section", { "aria-label": "Loss" }, element("p", { class: "lm-title" }, "Validation loss in nats"), svg,
        element("p", { class: "lm-note" }, "Small dots: checkpoints. Large dot: the one that is shown. Steps are drawn "
          + "on a logarithmic axis."))),
    status,
  );
}

export default { render };
