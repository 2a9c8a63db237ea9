// The board: the drawing as something to click. Python holds the truth (pages/widgets/board.py) and says in `menus` what
// can be done; here every edit is drawn at once on a draft, numbered, and sent again with all later ones until Python
// has acknowledged it. Another epoch means that Python's state counts: draft and list are dropped.
const boards = new WeakMap();
const MOST = 256;
const SVG_ITEMS = ".n[role],.e[role]";
const same = (a, b) => JSON.stringify(a) == JSON.stringify(b);

// The arcs of an InputChoice in the order of its sources; in a DARTS cell those are the edges into its node.
const arcs = (scene, label) => scene.edges.filter((x) =>
  x.k == "skip" ? (x.l || x.i) == label : x.k == "cell" && x.t == label.replace("/inputs_", "/node_"));

// An edge of a cell takes an operation; without one it is there and carries nothing.
const carry = (x, ops, op, state) => Object.assign(x, { o: op, n: op < 0 ? "" : ops[op][2], st: state });

// A layer takes a candidate, or loses it ("off"); when it loses the one it has, the first that is left moves up.
const take = (x, at, state, about) => {
  const chip = x.c[at];
  const had = chip[2] == "chosen";
  if (state == "chosen") for (const c of x.c) if (c[2] == "chosen") c[2] = "unchosen";
  chip[2] = state == "unchosen" && had ? "chosen" : state;
  const next = x.c.findIndex((c) => c[2] == "unchosen");
  if (state == "off" && had && next >= 0) return take(x, next, "chosen");
  if (state == "chosen") Object.assign(x, { o: chip[1], d: about ? about.split(" · ")[0] : chip[0] });
};

const named = (x, name) => (x.x || x.c.map((c) => c[0])).indexOf(name);

// What an edit will look like, drawn before Python has said so. What is not known here waits for Python.
const foresee = (scene, { event: e, id, about, next }) => {
  const { ops, nodes, edges } = scene;
  const op = (name) => ops.findIndex((one) => one[0] == name);
  const layer = nodes.find((x) => x.k == "choice" && x.i == e.label);
  const edge = edges.find((x) => x.i == id && x.k == "cell");
  if (e.kind == "pin" && Array.isArray(e.choice)) {
    const all = arcs(scene, e.label);
    const held = all.filter((x) => x.st == "chosen").map((x) => x.o);
    all.forEach((x, at) => {
      const on = e.choice.includes(at);
      if (x.k == "cell") carry(x, ops, on ? held[e.choice.indexOf(at)] : -1, on ? "chosen" : "unchosen");
      else Object.assign(x, { w: on == (x.w == "off") || (!on && x.w == "always") ? "free" : x.w, st: on ? "chosen" : x.w == "off" ? "off" : "unchosen" });
    });
  } else if (e.kind == "pin") {
    if (layer && named(layer, e.choice) >= 0) take(layer, named(layer, e.choice), "chosen", about);
    else if (edge && op(e.choice) >= 0) carry(edge, ops, op(e.choice), "chosen");
  } else if (e.kind == "keep" && layer) {
    const at = named(layer, e.option);
    if (at >= 0) take(layer, at, !e.on ? "off" : layer.c[at][2] == "off" ? "unchosen" : layer.c[at][2]);
  } else if (e.kind == "skip") {
    for (const x of arcs(scene, e.label)) {
      if (x.f != e.source) continue;
      x.st = { off: "off", always: "chosen" }[e.state] || (x.st == "off" ? "unchosen" : x.st);
      x.w = e.state;
    }
  } else if (e.kind == "operation" && !e.on) {
    for (const x of edges) if (x.k == "cell" && x.st == "chosen" && x.o == op(e.name)) carry(x, ops, op(next), "chosen");
  } else if (e.kind == "edge" && edge) {
    carry(edge, ops, -1, e.on ? "chosen" : "off");
    if (!e.on) edge.n = "off";
  }
};

// The point of a cubic at three quarters: names stand before it.
const late = (p) => [0, 1].map((i) => (p[i] + 9 * p[i + 2] + 27 * p[i + 4] + 27 * p[i + 6]) / 64);

// What is added to an element: the red mark of a problem, the hollow dot of a skip that the search decides, and unseen
// words for those who hear it. Its accessible name is what is written in it.
const marks = (names) => (x) => {
  const [cx, cy] = x.r ? [x.r[0] + x.r[2] - 2, x.r[1] + 2] : late(x.p);
  const says = [];
  if (!x.r) says.push(names[x.f] + " → " + names[x.t]);
  if (x.k == "skip") says.push({ always: "always on", off: "forbidden" }[x.w] || "free, " + (x.st == "chosen" ? "on" : "off"));
  if (x.m) says.push("Problem: " + x.m);
  const parts = [T(cx, cy, "says", says.join(", "))];
  if (x.w == "free") parts.push(E("circle", { cx, cy, r: 4.5, class: "dot" }));
  if (x.m) parts.push(E("g", { class: "bad", "aria-hidden": true }, E("title", {}, x.m), E("circle", { cx, cy, r: 8 }), T(cx, cy, "mid", "!")));
  return parts;
};

// -- drawing ---------------------------------------------------------------------------------------------------------

const paint = (view) => {
  const { data, box } = view;
  const scene = JSON.parse(JSON.stringify(data.scene));
  for (const one of view.edits) foresee(scene, one);
  view.scene = scene;
  const before = view.items.indexOf(view.root.getRootNode().activeElement);
  const held = view.items[before];
  // Long arcs below short ones, so that these keep their names free.
  const reach = (x) => Math.abs(x.p[7] - x.p[1]);
  draw(view, { ...scene, edges: [...scene.edges].sort((a, b) => reach(b) - reach(a)) }, marks(Object.fromEntries(scene.nodes.map((x) => [x.i, x.n]))));
  const items = (view.items = []);
  for (const { i: id } of [...scene.nodes, ...scene.edges]) {
    const { g } = view.at.get(id);
    if (!data.menus[id]) continue;
    items.push(g);
    g.id = id;
    put(g, { role: "button", "aria-haspopup": "menu", "aria-expanded": view.open == id });
    g.classList.toggle("sel", view.picked == id);
  }
  roving(view.root, items);
  // What had the focus keeps it where the drawing was built anew; what is gone leaves it to its neighbour.
  if (held && !held.matches(":focus")) (items.includes(held) ? held : items[Math.min(before, items.length - 1)])?.focus({ preventScroll: true });
  for (const kind of ["undo", "redo"]) {
    const can = data[kind] || (kind == "undo" && view.edits.length);
    put(view[kind], { "aria-disabled": !can, title: data[kind] || "" });
  }
  if (view.open) fill(view);
};

// -- edits -----------------------------------------------------------------------------------------------------------

const tell = (view, event, more) => {
  if (view.edits.length >= MOST) return;
  view.edits.push({ seq: ++view.seq, event, ...more });
  paint(view);
  const { epoch } = view.data;
  view.set("edits", { epoch, seq: view.seq, edits: view.edits.map(({ seq, event }) => ({ seq, event })) });
};

const pick = (view, id) => {
  if (view.picked == id) return;
  view.picked = id;
  clearTimeout(view.later);
  view.later = setTimeout(() => view.set("selected", { id, n: ++view.n }), 150);
};

// -- menus -----------------------------------------------------------------------------------------------------------

// The items of a group as they are after the edits that Python has not heard of yet.
const live = (view, group) => {
  const items = (group.use == null ? group.items : view.data.palette[group.use]).map((one, at) => ({
    ...one, e: { ...one.e, ...group.with }, on: group.on == null ? one.on : group.on == at }));
  for (const { event } of view.edits) {
    const at = items.findIndex((one) => same({ ...one.e, on: 0 }, { ...event, on: 0 }));
    const arc = items.findIndex((one) => one.at != null && event.kind == "pin" && event.label == one.e.label);
    if (arc >= 0) items[arc].on = event.choice.includes(items[arc].at);
    else if (at >= 0 && items[at].k == "check") items[at].on = event.on;
    else if (at >= 0) items.forEach((one, other) => { one.on = other == at; });
  }
  return items;
};

const item = (title, kind, act, more) =>
  Object.assign(H("button", { type: "button", role: "menuitem", tabindex: -1, class: kind, ...more }, H("b", {}, title)), { act });

const row = (view, one, group, id) => {
  const button = item(one.n, one.k, () => !one.no && act(view, one, group, id));
  if (one.k != "do") put(button, { role: "menuitem" + (one.k == "radio" ? "radio" : "checkbox"), "aria-checked": !!one.on });
  return put(button, { "aria-disabled": one.no ? "true" : null }, H("small", {}, one.no || one.a || ""));
};

const act = (view, one, group, id) => {
  let event = one.e;
  if (one.k == "check") event = { ...event, on: !one.on };
  if (one.at != null) {
    const taken = arcs(view.scene, event.label).map((x, at) => (at == one.at ? !one.on : x.st == "chosen") ? at : -1);
    event = { kind: "pin", label: event.label, choice: taken.filter((at) => at >= 0) };
  }
  const next = live(view, group).find((other) => other.on && other.n != one.n);
  if (one.k != "check") close(view);
  pick(view, id);
  if (one.k == "radio" && one.on) return paint(view);
  tell(view, event, { id, about: one.a, next: next && next.e.name });
};

const buttons = (view) => [...view.panel.querySelectorAll("button")];

const fill = (view) => {
  const { open: id, data, panel } = view;
  const menu = data.menus[id];
  if (!menu) return close(view);
  const { m } = view.at.get(id).x;
  const folded = menu.groups[view.fold];
  const groups = folded ? [folded] : menu.groups;
  const text = JSON.stringify([id, view.fold, menu.title, menu.about, m, groups.map((group) => [group.title, group.fold && !folded ? 0 : live(view, group)])]);
  if (view.filled == text) return;
  view.filled = text;
  const at = buttons(view).indexOf(panel.getRootNode().activeElement);
  const list = H("div", { role: "menu", "aria-label": folded ? folded.title : menu.title });
  const to = (title, kind, fold, more) => list.append(item(title, kind, () => { view.fold = fold; fill(view); enter(view); }, more));
  if (folded) to("Back", "back", null);
  menu.groups.forEach((group, number) => {
    if (folded && group != folded) return;
    if (group.fold && !folded) return to(group.title, "to", number, { "aria-haspopup": "menu" });
    list.append(H("div", { role: "group", "aria-label": group.title }, H("p", { "aria-hidden": true }, group.title), ...live(view, group).map((one) => row(view, one, group, id))));
  });
  const { scrollTop } = panel;
  panel.replaceChildren(H("header", {}, H("b", {}, menu.title), H("small", {}, menu.about), ...(m ? [H("em", {}, m)] : [])), list);
  const now = buttons(view);
  panel.scrollTop = scrollTop;
  if (at >= 0) now[Math.min(at, now.length - 1)].focus({ preventScroll: true });
  place(view);
};

// The item that is on, else the first one behind "Back".
const enter = (view) => {
  const items = buttons(view);
  (items.find((one) => one.ariaChecked == "true") || items[view.fold == null ? 0 : 1] || items[0]).focus({ preventScroll: true });
};

// Beside the element and inside of the window; a sheet at the lower edge where the window is narrow (graph.css).
const place = (view) => {
  const { panel } = view;
  const element = view.open && view.at.get(view.open);
  if (!element) return;
  const part = element.x.r ? element.g : element.g.querySelector(".pill") || element.g;
  const r = part.getBoundingClientRect();
  const { offsetWidth: w, offsetHeight: h } = panel;
  const left = [r.right + 8, r.left - w - 8, innerWidth - w - 8].find((x) => x > 8 && x + w < innerWidth) || 8;
  panel.style.left = left + "px";
  panel.style.top = Math.max(8, Math.min(r.top, innerHeight - h - 8)) + "px";
};

const show = (view, id) => {
  close(view, true);
  view.open = id;
  view.fold = null;
  pick(view, id);
  view.panel.showPopover?.();
  paint(view);
  enter(view);
};

// Closes the menu; the focus goes back to the element that it belongs to.
const close = (view, keep) => {
  const { open: id, panel } = view;
  if (!id) return;
  view.open = view.filled = null;
  panel.hidePopover?.();
  panel.replaceChildren();
  const element = view.at.get(id);
  if (!element) return;
  put(element.g, { "aria-expanded": false });
  if (!keep) element.g.focus({ preventScroll: true });
};

// -- hands -----------------------------------------------------------------------------------------------------------

const press = (view, target) => {
  const button = target.closest("button");
  if (button) return button.act && button.act();
  const g = target.closest(SVG_ITEMS);
  if (!g || !view.root.contains(g)) return view.panel.contains(target) || close(view);
  const { x } = view.at.get(g.id);
  const chip = target.closest(".c");
  const was = view.open;
  close(view);
  g.focus({ preventScroll: true });
  if (chip) {
    const at = [...g.querySelectorAll(".c")].indexOf(chip);
    for (const group of view.data.menus[g.id].groups) {
      const one = live(view, group)[at];
      // the one that is pinned already opens the menu like the rest of its layer
      if (one && one.e.kind == "pin" && one.e.label == x.i && !one.on) return act(view, one, group, g.id);
    }
  }
  if (was != g.id) show(view, g.id);
};

const keys = (view, event) => {
  const { key, target } = event;
  const done = () => event.preventDefault();
  if ((event.ctrlKey || event.metaKey) && /^[zy]$/i.test(key)) {
    done();
    return view[event.shiftKey || key.toLowerCase() == "y" ? "redo" : "undo"].act();
  }
  if (!view.panel.contains(target)) {
    if ((key != "Enter" && key != " ") || !target.closest(SVG_ITEMS)) return;
    done();
    return show(view, target.id);
  }
  const items = buttons(view);
  const at = items.indexOf(target);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[key];
  if (to != null) {
    done();
    items[(to + items.length) % items.length].focus();
  } else if (key == "Escape" || key == "ArrowLeft") {
    done();
    if (view.fold != null) items[0].act();
    else if (key == "Escape") close(view);
  } else if (key == "ArrowRight" && target.className == "to" || key == "Enter" || key == " ") {
    done();
    target.act();
  } else if (key == "Tab") close(view);
};

// -- life ------------------------------------------------------------------------------------------------------------

const make = (parent) => {
  const view = { edits: [], n: 0, items: [], root: H("div", { class: "net", role: "group" }), key: H("div", { class: "key" }), hint: H("span") };
  view.panel = H("div", { class: "menu", popover: "manual" });
  for (const [kind, sign] of [["undo", "↶ Undo"], ["redo", "↷ Redo"]]) {
    view[kind] = H("button", { type: "button" }, sign);
    view[kind].act = () => view[kind].getAttribute("aria-disabled") == "true" || tell(view, { kind });
  }
  const bar = H("div", { class: "bar" }, view.undo, view.redo, view.hint);
  view.box = H("div", { class: "board" }, bar, view.root, view.key, view.panel);
  // A mouse acts when it goes down; a finger may be scrolling, and a key or a screen reader only clicks.
  view.box.onpointerdown = (event) => {
    view.down = event.pointerType;
    if (view.down == "mouse" && !event.button) press(view, event.target);
  };
  view.box.onclick = (event) => {
    if (view.down != "mouse") press(view, event.target);
    view.down = "";
  };
  view.box.onmousedown = (event) => event.target.closest(".menu,svg,button") && event.preventDefault();
  view.box.onkeydown = (event) => keys(view, event);
  view.box.addEventListener("focusin", ({ target }) => {
    if (view.items.includes(target)) for (const one of view.items) one.tabIndex = one == target ? 0 : -1;
  });
  const outside = (event) => event.composedPath().includes(view.box) || close(view, true);
  const save = ({ detail }) => view.data && detail.film == view.data.film && detail.take(view.root);
  const moved = () => place(view);
  const listen = (what) => {
    document[what]("pointerdown", outside, true);
    document[what]("explorer-save", save);
    window[what]("scroll", moved, true);
    window[what]("resize", moved);
  };
  listen("addEventListener");
  view.end = () => (listen("removeEventListener"), boards.delete(parent));
  parent.append(view.box);
  boards.set(parent, view);
  return view;
};

export default function ({ data, parentElement, setStateValue }) {
  const view = boards.get(parentElement) || make(parentElement);
  view.set = setStateValue;
  if (!view.data || view.data.epoch != data.epoch) Object.assign(view, { edits: [], seq: data.ack });
  view.edits = view.edits.filter((one) => one.seq > data.ack);
  view.data = data;
  view.hint.textContent = data.hint;
  view.key.replaceChildren(...data.key.map(([sample, says]) => H("span", {}, H("i", { class: "s-" + sample }), says)));
  paint(view);
  return view.end;
}
