// Draws a scene (explorer/plots/drawn/payload.py). An element keeps its <g> for good, so that focus stays and nothing
// moves; what stands in it is made anew when it changes. Shared by watch.js and edit.js. Text is only ever text.
// Both are sent again with every update and names are sent as they stand: hence the short ones. Comments cost nothing.

// Sets what is different; a function becomes the handler of that name.
const put = (node, all, ...inside) => {
  for (const name in all) {
    const value = all[name];
    if (value?.call) node[name] = value;
    else if (value != null && node.getAttribute(name) != value) node.setAttribute(name, value);
  }
  node.append(...inside);
  return node;
};
const E = (tag, ...rest) => put(document.createElementNS("http://www.w3.org/2000/svg", tag), ...rest);
const H = (tag, ...rest) => put(document.createElement(tag), ...rest);
// The blank keeps words apart where an element's text becomes its name.
const T = (x, y, kind, words = "") => E("text", { x, y, class: kind }, words + " ");
const R = (x, y, width, height, rx, more) => E("rect", { x, y, width, height, rx, ...more });
const P = (d, kind, color, dash) => E("path", { d, class: kind, color, "stroke-dasharray": dash });
const cut = (words, most) => (words.length > most ? words.slice(0, most - 1) + "…" : words);
const fit = (x, most) => Math.max(0, Math.min(most, x));

// The cubic p, moved sideways by so many pixels, less at its ends: the strands of one edge.
const path = (p, off = 0) => {
  const [x, y] = [p[6] - p[0], p[7] - p[1]];
  const by = off / (Math.hypot(x, y) || 1);
  return "MC  ".replace(/./g, (sign, i) => {
    const far = by * (i % 3 ? 1.2 : 0.4);
    return sign + (p[2 * i] - y * far) + " " + (p[2 * i + 1] + x * far);
  });
};

// The arrow's head at a cubic's end, along its last stretch.
const head = (p) => {
  const i = p[4] == p[6] && p[5] == p[7] ? 0 : 4;
  return put(P("M1 0L-8 4V-4Z", "head"), { transform: `translate(${p[6]} ${p[7]})rotate(${Math.atan2(p[7] - p[i + 1], p[6] - p[i]) * 57.3})` });
};

const color = (ops, op) => ops[op]?.[3] || "currentColor";

// A rounded box with words in it: a candidate, or what an edge carries.
const pill = (kind, words, x, y, width, fill) => E("g", { class: kind }, R(x, y, width, 20, 10, { fill, stroke: fill }), T(x + width / 2, y + 10, "mid", words));

// The same around its words, with its middle, or the middle of its left end, at x and y.
const tag = (kind, words, x, y, fill, left) => {
  const width = words.length * 6.4 + 14;
  return pill(kind, words, left ? x : x - width / 2, y - 10, width, fill);
};

const node = ({ r: [x, y, w, h], k, n, d = "", s = "", o, c = [] }, ops) => {
  const [cx, cy] = [x + w / 2, y + h / 2];
  if (k == "title") return [T(x, cy, "name", n), T(x + 8.2 * n.length, cy, "", d)];
  if (/sum|node/.test(k)) return [E("circle", { cx, cy, r: w / 2, class: "body" }), T(cx, cy, "mid name", n), T(cx, /out|con/.test(d) ? y + h + 10 : y - 10, "mid", d)];
  const stage = k == "stage";
  const at = stage ? cy : y + 12;
  return [
    R(x, y, w, h, 6, { class: "body" }),
    R(x, y + 4, o >= 0 ? 4 : 0, h - 8, 2, { fill: color(ops, o) }),
    T(x + 12, at, "name", cut(n, stage ? 10 : 14)),
    T(x + 104, at, "", stage ? "" : cut(d, 19)),
    T(x + w - 9, at, "end", cut(s, 13)),
    ...c.map(([n, o, state, x, y, w]) => pill("c " + state, cut(n, 24), x, y, w, color(ops, o))),
  ];
};

const edge = ({ k, p, n = "", at, o }, ops) => {
  const op = k != "flow" && ops[o];
  const ink = op ? op[3] : "currentColor";
  const skip = k == "skip";
  return [
    P(path(p), "line", ink, op?.[5]),
    k == "cell" ? put(head(p), { fill: ink }) : "",
    n ? tag("pill", cut(n, 14), skip ? at[0] - 8 : at[0], at[1], ink, skip) : "",
    P(path(p), "hit"),
  ];
};

// Fills `view.root`; `view.at` maps an element's id to its <g>, its item `x` and its parts, nodes before edges: the order
// of the arrow keys. `more(x)` gives what else stands in an element.
const draw = (view, { nodes, edges, ops, blocks, alt }, more) => {
  const old = view.at;
  const all = [...nodes, ...edges];
  view.at = new Map(all.map((x) => {
    const { g, text } = (old && old.get(x.i)) || { g: E("g") };
    const now = JSON.stringify([x, ops]);
    if (text != now) {
      put(g, { class: (x.r ? "n" : "e") + " k-" + x.k + " " + (x.st || "fixed") + (x.o >= 0 || x.k == "skip" ? "" : " bare") });
      g.replaceChildren(...(x.r ? node : edge)(x, ops), ...(more?.(x) || []));
    }
    return [x.i, { g, x, text: now }];
  }));
  const places = JSON.stringify([blocks, all.map((x) => x.i)]);
  if (view.places != places)
    view.root.replaceChildren(...blocks.map((box, b) => E("svg", { viewBox: box.join(" "), width: box[2], role: "none" }, ...[...edges, ...nodes].filter((x) => x.b == b).map((x) => view.at.get(x.i).g))));
  view.places = places;
  put(view.root, { "aria-label": cut(alt, 400) });
};

// One tab stop: the arrow keys walk through `all`, and the one walked to takes the focus.
const roving = (root, all) => {
  const stop = (one) => all.forEach((each) => (each.tabIndex = -(each != one)));
  stop(all.find((one) => one.tabIndex == 0) || all[0]);
  root.onfocusin = ({ target }) => all.includes(target) && stop(target);
  root.onkeydown = (event) => {
    const at = all.indexOf(event.target);
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -1e9, End: 1e9 }[event.key];
    if (at >= 0 && by) all[fit(at + by, all.length - 1)].focus(event.preventDefault());
  };
};
