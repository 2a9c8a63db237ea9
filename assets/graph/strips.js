// The charts of a search over one axis of steps (explorer/plots/drawn/strips.py), and one cursor through all of them,
// which is the film's. What stands on the page stays; what came new is filled in.
const views = new WeakMap();
const set = (node, attributes) => {
  for (const name in attributes) if (node.getAttribute(name) != attributes[name]) node.setAttribute(name, attributes[name]);
  return node;
};
const say = (node, words) => {
  if (node.textContent != words) node.textContent = words;
};
const make = (tag, kind, ...children) => {
  const node = /svg|path/.test(tag) ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  node.append(...children);
  return set(node, { class: kind });
};

// As many children as items: made once, filled again with whatever is their item now.
const each = (parent, items = [], made, fill) => {
  while (parent.children.length > items.length) parent.lastChild.remove();
  items.forEach((item, i) => fill(parent.children[i] || parent.appendChild(made()), item));
};

// Two signs a value, between the lowest and the highest of the panel.
const unpacked = (text, [low, high]) =>
  text.match(/../g).map((pair) => low + ((64 * pair.charCodeAt(0) + pair.charCodeAt(1) - 3120) / 4095) * (high - low));

const stepWords = (step) => "step " + Math.round(step).toLocaleString("en");
const behind = (steps, step) => steps.findLastIndex((each) => each <= step);

// A line's value where the cursor crosses it; nothing before its first point, the last one behind its end.
const crossed = ({ steps, values }, step, places) => {
  const i = behind(steps, step);
  const [value, next] = [values[i], values[i + 1] ?? values[i]];
  return i < 0 ? "–" : (value + ((next - value) * (step - steps[i])) / (steps[i + 1] - steps[i] || 1)).toFixed(places);
};

// Stretched to its place; strokes and dashes are not.
const chart = (...paths) => set(make("svg", "", ...paths), { viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": true });
const draw = (path, [, stroke, dash], kind, d) => set(path, { stroke, "stroke-dasharray": dash, class: kind, d });
const entry = () => make("li", "", chart(make("path")), make("span"), make("b"));
const keyed = (node, look) => {
  draw(node.firstChild.firstChild, look, "w1", "M0 50H1000");
  say(node.children[1], look[0]);
};

const emptyPanel = (view) => {
  const plot = make("div", "plot", chart(), make("div"), make("div"), make("i"));
  const move = (event) => {
    const { left, width } = plot.box;
    const [first, last] = view.data.x;
    send(view, first + ((event.clientX - left) / width) * (last - first));
  };
  plot.onpointerdown = (event) => {
    plot.setPointerCapture(event.pointerId);
    plot.box = plot.getBoundingClientRect();
    move(event);
  };
  plot.onclick = () => view.slider.focus({ preventScroll: true });
  plot.onpointermove = (event) => plot.hasPointerCapture(event.pointerId) && move(event);
  return make("div", "panel", make("div", "top", span(), make("b")), plot, make("div", "ends", span(), span()), make("ul", "key"));
};

const span = () => make("span");
const label = (node, [words, height, color]) => {
  say(node, words);
  node.style.top = height + "%";
  node.style.setProperty("--c", color);
};

const fill = (view, node, panel) => {
  const { looks, s, x } = view.data;
  const [low, high] = panel.range || [0, 1];
  const [top, plot, ends, key] = node.children;
  const [svg, ticks, levels, cursor] = plot.children;
  const lines = panel.lines.map(([look, at, values, weight]) => ({ look: looks[look], steps: s[at], values: unpacked(values, panel.z || [0, 1]), weight }));
  const named = lines.filter((line) => panel.range && line.look[0]);
  Object.assign(node, { panel, lines, named, cursor });
  say(top.firstChild, panel.y);
  each(svg, lines, () => make("path"), (path, { look, steps, values, weight }) => {
    const places = steps.map((step, i) => ((1000 * (step - x[0])) / (x[1] - x[0])).toFixed(1) + " " + ((100 * (high - values[i])) / (high - low)).toFixed(1));
    const dots = panel.dots || weight == 3 || !places[1];
    draw(path, look, "w" + weight + (dots ? " dots" : ""), "M" + (dots ? places.join("h0M") + "h0" : places.join("L")));
  });
  each(ticks, panel.ticks, span, label);
  each(levels, panel.levels, span, label);
  x.forEach((step, i) => say(ends.children[i], stepWords(step)));
  each(key, named, entry, (node, line) => keyed(node, line.look));
};

// The numbers at the cursor, a few times a second.
const read = (view) => {
  const told = [];
  view.timer = 0;
  for (const { panel, lines, named, children } of view.nodes) {
    named.forEach((line, i) => {
      const words = crossed(line, view.step, panel.n);
      say(children[3].children[i].children[2], words);
      told.push(line.look[0] + " " + words);
    });
    // a panel that was a small one before has no best one any more
    const best = !panel.range && lines.map((line) => [crossed(line, view.step, 3), line.look[0]]).sort().pop();
    say(children[0].children[1], best ? best[1] + " " + best[0] : "");
  }
  const at = stepWords(view.step);
  say(view.slider.firstChild, at);
  Object.assign(view.slider, {
    ariaValueMin: view.data.x[0],
    ariaValueMax: view.data.x[1],
    ariaValueNow: Math.round(view.step),
    ariaValueText: at + ": " + told.slice(0, 4).join(", "),
  });
};

// The cursors, with every frame of the film: no layout.
const show = (view, step) => {
  const [first, last] = view.data.x;
  view.step = Math.max(first, Math.min(last, step));
  for (const node of view.nodes) node.cursor.style.transform = "translateX(" + (100 * (view.step - first)) / (last - first) + "%)";
  view.timer ||= setTimeout(read, 90, view);
};

const send = (view, step) => {
  show(view, step);
  document.dispatchEvent(new CustomEvent("explorer-cursor", { detail: { film: view.data.film, step: view.step, from: view.key } }));
};

const open = (parent) => {
  const slider = Object.assign(make("div", "at", make("b")), { role: "slider", tabIndex: 0, ariaLabel: "Step" });
  const view = { slider, body: make("div") };
  slider.onkeydown = (event) => {
    const steps = view.data.s[0];
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10, PageDown: -10, Home: -1e9, End: 1e9 }[event.key];
    if (!by) return;
    event.preventDefault();
    const i = behind(steps, view.step) + (by < 0 && !steps.includes(view.step));
    send(view, steps[Math.max(0, Math.min(steps.length - 1, i + by))]);
  };
  view.hear = ({ detail }) => detail.film == view.data.film && detail.from != view.key && show(view, detail.step);
  parent.append(make("div", "strips", slider, view.body));
  views.set(parent, view);
  return view;
};

export default function ({ data, parentElement, key }) {
  const view = views.get(parentElement) || open(parentElement);
  const follows = !view.data || view.data.film != data.film || view.step == view.data.x[1];
  Object.assign(view, { data, key });
  each(view.body, data.sections, () => make("section", "", make("p", "q"), make("ul", "key"), make("p", "h"), make("div", "grid"), make("p", "basis")), (node, section) => {
    const [q, legend, h, grid, basis] = node.children;
    set(node, { class: section.small ? "small" : "" });
    say(q, section.q || "");
    each(legend, section.key, entry, (item, look) => keyed(item, data.looks[look]));
    say(h, section.h || "");
    each(grid, section.panels, () => emptyPanel(view), (panel, item) => fill(view, panel, item));
    say(basis, section.basis || "");
  });
  view.nodes = [...view.body.querySelectorAll(".panel")];
  view.slider.hidden = !view.nodes[0];
  show(view, follows ? data.x[1] : view.step);
  read(view);
  // To listen twice is to listen once.
  document.addEventListener("explorer-cursor", view.hear);
  return () => document.removeEventListener("explorer-cursor", view.hear);
}
