// A list beside a reel (explorer/plots/drawn/shelf.py): the row that is pointed at, or has the focus, is what the film
// shows, and the row of what the film shows is marked. What stands on the page stays; what came new is filled in.
// Without a semicolon, so that one end of a line outlives the minifier: text in one line is a file's name to Streamlit.
const views = new WeakMap()
const make = (tag, ...children) => {
  const node = document.createElement(tag);
  node.append(...children);
  return node;
};
const say = (node, words) => {
  if (node.textContent != words) node.textContent = words;
};
const each = (parent, items, made, fill) => {
  while (parent.children.length > items.length) parent.lastChild.remove();
  items.forEach((item, i) => fill(parent.children[i] || parent.appendChild(made()), item, i));
};

// One tab stop: the marked row, else the first.
const mark = (view, frame) => {
  view.frame = frame;
  view.rows.forEach((row, i) => {
    row.ariaSelected = i == frame;
    row.tabIndex = i == (view.rows[frame] ? frame : 0) ? 0 : -1;
  });
};

const open = (parent) => {
  const [head, body] = [make("tr"), make("tbody")];
  const table = make("table", make("thead", head), body);
  const view = { head, body, table };
  Object.assign(table, { role: "grid", className: "shelf" });
  view.show = (row) => {
    const frame = view.rows.indexOf(row);
    if (frame < 0 || frame == view.frame) return;
    mark(view, frame);
    document.dispatchEvent(new CustomEvent("explorer-cursor", { detail: { film: view.data.film, frame, from: view.key } }));
  };
  table.onpointerover = (event) => view.show(event.target.closest("tr"));
  table.addEventListener("focusin", table.onpointerover);
  table.onclick = (event) => {
    const row = event.target.closest("tbody tr");
    if (row) row.focus();
  };
  table.onkeydown = (event) => {
    const at = view.rows.indexOf(event.target);
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 }[event.key];
    if (at < 0 || !by) return;
    event.preventDefault();
    view.rows[Math.max(0, Math.min(view.rows.length - 1, at + by))].focus();
  };
  view.hear = ({ detail }) => detail.film == view.data.film && detail.from != view.key && mark(view, detail.frame);
  parent.append(make("div", table));
  parent.lastChild.className = "shelves";
  views.set(parent, view);
  return view;
};

export default function ({ data, parentElement, key }) {
  const view = views.get(parentElement) || open(parentElement);
  const { head, rows, numbers, best, title } = data.shelf;
  Object.assign(view, { data, key });
  view.table.ariaLabel = title;
  const side = (cell, i) => cell.classList.toggle("n", numbers.includes(i));
  each(view.head, head, () => make("th"), (cell, [words, meaning], i) => {
    say(cell, words);
    Object.assign(cell, { title: meaning, scope: "col" });
    side(cell, i);
  });
  each(view.body, rows, () => make("tr"), (row, cells, at) => {
    row.className = at == best ? "best" : "";
    each(row, cells, () => make("td"), (cell, words, i) => {
      say(cell, words);
      side(cell, i);
    });
  });
  view.rows = [...view.body.children];
  mark(view, view.frame);
  if (view.frame == null) view.show(view.rows[Math.max(0, best)]);
  // To listen twice is to listen once.
  document.addEventListener("explorer-cursor", view.hear);
  return () => document.removeEventListener("explorer-cursor", view.hear);
}
