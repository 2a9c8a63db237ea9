// A film of a search, a reel, a still or a comparison (explorer/plots/drawn) over the drawing of draw.js. Names are short
// because they are sent (draw.js): `D` the data, `f` and `s` its bytes, `C` its columns, `own` the elements of the drawing
// that have some, `N` the last frame, `at` where the film stands, between frames too, and `F` the frame there. `mode`: 0 at
// rest, 1 playing, 2 following what is newest.
// A column `c` is one candidate of a row: `m` draws it, its tag stands at `x` and `y`, `w` is the width of a chip, `p` its
// share on screen, `o` tells it in words. An element `t` has its `g` and its item `x` (draw.js), a label `l`, its columns
// `of`, a `rim` around what would be derived, and `up`, the tags above all lines.
const film = (home) => {
  const calm = () => matchMedia("(prefers-reduced-motion:reduce)").matches;
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt());
  let D, send, me, C, own, f, s, N, mode, timer, due, over, held, past, again, built, marked, told, live;
  let at = 0, F = 0, since = 0, last = 0, count = 0;

  // The visitor came to rest somewhere: draw it, and tell Python after a while.
  const rest = () => {
    clearTimeout(timer);
    timer = setTimeout(() => mode || send("moment", { step: step(), n: ++count }), 300);
  };
  const seek = (to) => {
    move(to);
    rest();
  };
  const move = (to, quiet) => {
    at = fit(to, N);
    if (quiet) told = at;
    mode = since = 0;
    wake();
  };
  const B = (title, onclick) => H("button", { title, onclick });
  const play = B("Play", () => {
    mode = +!mode;
    if (mode && at >= N) at = 0;
    wake();
    rest();
  });
  const back = B("Step back", () => seek(Math.ceil(at) - 1));
  const on = B("Step forward", () => seek((at | 0) + 1));
  const loop = put(B("Loop", () => put(loop, { "aria-pressed": (again = !again) })), { "aria-pressed": false });
  const scrub = H("input", { type: "range", step: 0.01, "aria-label": "Position", oninput: () => seek(+scrub.value) });
  const ticks = H("div");
  const speed = H("select", { "aria-label": "Speed" }, ...[0.5, 1, 2, 4, 8].map((x) => H("option", {}, x + "x")));
  const words = H("span");
  const panel = H("div", { class: "past" });
  const root = H("div", { class: "net", role: "group" });
  const view = { root };
  const box = H("div", {}, root, H("div", { class: "bar" }, play, back, on, H("div", {}, scrub, ticks), speed, loop, words), panel);
  speed.value = "1x";
  home.append(box);

  const build = () => {
    C = [];
    own = [];
    view.at = view.places = marked = over = held = 0;
    const { rows, scene } = D;
    draw(view, scene);
    rows.forEach(({ l, k, e, c: all }, r) => {
      const seen = {};
      const op = k == "operation";
      all = rows[all]?.c || all;
      all.forEach(([name, o], i) => {
        const look = scene.ops[o] || [];
        const t = view.at.get(e[i] ?? e[0]);
        const ink = color(scene.ops, o);
        seen[o] = -~seen[o];
        // a second candidate of the same operation has its colour, but other dashes
        const dash = seen[o] > 1 ? ["2 3", "9 3 2 3", "7 3"][seen[o] % 3] : look[5];
        const c = { r, i, t, name, ink, dash, j: C.length, p: 0, tag: (op && look[2]) || name, sign: look[4] };
        C.push(c);
        if (!t || (k == "switch" && !i)) return;
        const { g, x } = t;
        const chip = op && x.c?.[i];
        if (!t.of) {
          own.push(t);
          Object.assign(t, { of: [], l: l.replace(/edge_(\d+)_/, "$1 → "), up: E("g"), rim: P("", "rim") });
          g.ownerSVGElement.append(t.up);
          g.prepend(t.rim);
          put(g, { role: live ? "button" : "img" });
        }
        t.of.push(c);
        if (x.p) {
          c.off = op ? ((i - (all.length - 1) / 2) * 32) / all.length : 0;
          [c.x, c.y] = x.at;
          t.rim.after((c.m = P("", "s", ink, dash)));
        } else if (chip) {
          c.w = chip[5] - 6;
          [c.x, c.y] = [chip[3] + chip[5], chip[4]];
          g.querySelectorAll(".c")[i].firstChild.after((c.m = R(chip[3] + 3, chip[4] + 3, 0, 14, 7, { fill: ink })));
        }
      });
    });
    if (live) roving(root, own.map((t) => t.g));
    pin();
  };

  // What would be derived at this frame; or what both architectures have, `two` being the second's columns.
  const mark = (one, two) => {
    own.forEach((t) => t.up.replaceChildren());
    C.forEach((c, j) => {
      const a = one.includes(j);
      const b = two?.includes(j);
      const { t, m, w } = c;
      c.on = a || b;
      c.k = "s " + (c.on ? (a == b ? "same" : "on") : "");
      if (!m) return;
      const side = two ? b - a : 0;
      const arc = t.x.k == "skip";
      // the cells of DARTS have room for signs only, A's beside B's
      const wee = two && D.scene.blocks[2] ? 20 : 0;
      if (!w) {
        const d = path(t.x.p, two ? side * 4 : c.off);
        put(m, { d });
        if (a && !two) put(t.rim, { d });
      }
      if (two ? side : a && !w && !arc) t.up.append(tag("tag", (two ? (a ? "A " : "B ") : "") + (w ? "" : wee ? c.sign : c.tag), c.x + side * wee, c.y + (arc ? 22 : w || wee ? 0 : side * 11), c.ink));
    });
    own.forEach(({ g, l, up }) => put(g, { "aria-label": `${l}: ${g.textContent}${up.textContent}` }));
  };

  const pin = (t) => {
    held = held != t && t;
    if (live) own.forEach((t) => put(t.g, { "aria-pressed": t == held }));
    wake();
  };

  // The history of what is pointed at, else of what is pinned.
  const tell = () => {
    const t = over || held || 0;
    if (past != (past = t)) panel.replaceChildren(...(!t ? [] : [H("b", {}, t.l), H("div", {}, E("svg", { viewBox: "0 0 199 1", preserveAspectRatio: "none" }, ...t.of.map((c) => P("M" + [...Array(200)].map((_, i) => `${i} ${1 - share(c, ((i * N) / 199) | 0)}`).join("L"), "", c.ink, c.dash))), H("i")), H("p", {}, ...t.of.map((c) => (c.o = H("span", { style: "--c:" + c.ink }))))]));
    t.of?.forEach((c) => (c.o.textContent = `${c.name} ${Math.round(100 * c.p)} %`));
    panel.style.setProperty("--at", at / N);
  };

  const round = (x) => Math.round(20 * x) / 20;
  const share = (c, F) => (D.n && !D.two ? (f[F * C.length + c.j] || 0) / 255 : +!!c.on);
  const step = () => D.steps?.[F] ?? F;
  const wake = () => (due ||= requestAnimationFrame(tick));
  const tick = (now) => {
    due = 0;
    // with reduced motion a picture stays for half a second
    const passed = calm() ? 500 * (now - last > 499) : fit(now - last, 50);
    if (passed) last = now;
    if (mode == 1) {
      at += (passed * Math.max(1, N / 12) * parseFloat(speed.value)) / 1000;
      if (calm()) at = Math.ceil(at);
      if (at >= N) [at, mode] = again ? [0, 1] : [N, 2 * D.live];
    }
    F = at | 0;
    const { two, titles } = D;
    const [, got, code] = D.d.filter(([i]) => i <= F).pop() || [0, []];
    if (marked != (marked = JSON.stringify(two || got))) mark(two ? two.flatMap((pair) => pair[0]) : got, two?.flatMap((pair) => pair[1]));
    const part = at % 1;
    const ease = fit((now - since) / 400, 1);
    for (const c of C) {
      const p = share(c, F) * (1 - part) + share(c, F + 1) * part;
      c.p = c.from + (p - c.from) * ease;
      if (c.m) put(c.m, { class: c.k + (s[F * D.rows.length + c.r] == c.i ? " f" + (F % 2) : ""), ...(c.w ? { width: round(c.w * c.p) } : { "stroke-width": round(0.8 + 7 * c.p), "stroke-opacity": round(0.1 + 0.9 * c.p ** 0.5) }) });
    }
    const says = titles ? titles[F] : [`step ${step()} · epoch ${D.ep[F] ?? 0}`, ...D.ev.flatMap(([i, , says]) => (i == F ? says : [])), ...(code ? ["code " + code] : [])].join(" · ");
    words.textContent = says;
    scrub.value = at;
    put(scrub, { "aria-valuetext": says });
    put(play, { title: mode ? "Pause" : "Play" });
    tell();
    if (told != (told = at)) document.dispatchEvent(new CustomEvent("explorer-cursor", { detail: { film: D.film, step: step(), frame: F, from: me } }));
    if (mode == 1 || now - since < 400) wake();
  };
  const find = (step) => fit(D.steps.filter((each) => each < step).length, N);

  const near = ({ target }) => live && own.find(({ g, up }) => g.contains(target) || up.contains(target));
  const look = (event) => wake((over = near(event)));
  root.onpointerover = look;
  root.onpointerleave = box.onfocusout = () => look({});
  box.onfocusin = (event) => event.target.matches(":focus-visible") && look(event);
  root.onclick = (event) => pin(near(event));
  box.onkeydown = (event) => {
    const { key, target } = event;
    const t = near(event);
    const one = target == scrub && (/Left|Down/.test(key) ? back : /Right|Up/.test(key) ? on : key == " " && play);
    if (one) one.click();
    else if (key == "Escape") pin(held);
    else if (t && /Enter| /.test(key)) pin(t);
    else return;
    event.preventDefault();
  };
  const hear = ({ detail }) => detail.film == D.film && (detail.take ? detail.take(root) : detail.from != me && move(D.steps ? find(detail.step) : detail.frame, 1));
  const listen = (how) => ["cursor", "save"].forEach((name) => document[how + "EventListener"]("explorer-" + name, hear));
  listen("add");

  return (data, setState, key) => {
    const [alive, before] = D && D.film == data.film ? [D.live, step()] : [];
    D = data;
    send = setState;
    me = key;
    f = bytes(D.f);
    s = bytes(D.s);
    N = fit(1e9, (D.steps || D.titles).length - 1);
    live = D.steps && (N > 0 || D.live);
    if (built != (built = JSON.stringify([D.scene, D.rows, live]))) build();
    else since = calm() ? 0 : performance.now();
    for (const c of C) c.from = c.p;
    if (alive != D.live) mode = 2 * D.live;
    // a search opens at its end, a reel at its first architecture
    at = !D.steps ? fit(before | 0, N) : mode == 2 || before == null ? N : find(before);
    past = -1;
    put(box, { class: "film " + (live ? "" : N ? "reel" : "still") });
    scrub.max = N;
    ticks.replaceChildren(...D.ev.map(([i, kind, title]) => H("i", { class: kind, title, style: `left:${(100 * i) / N}%` })));
    wake();
    return () => listen("remove");
  };
};

export default ({ data, parentElement: home, setStateValue, key }) => (home.film ||= film(home))(data, setStateValue, key);
