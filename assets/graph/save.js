// Keeps what is on screen: the drawing of a film or a board as SVG or PNG, its DOT text as a file. The drawing is asked
// for by name, and whoever draws it hands over its root.
// The first line ends without a semicolon, so that this end outlives the minifier: Streamlit takes text in one line for a
// file's name.
const H = (tag, more) => Object.assign(document.createElement(tag), more)
const put = (node, more) => {
  for (const name in more) node.setAttribute(name, more[name]);
  return node;
};
const E = (tag, more) => put(document.createElementNS("http://www.w3.org/2000/svg", tag), more);

// A copy that needs no style sheet: a look stands at an element where it differs from what it inherits. Words are as wide
// as on screen in whichever font there will be.
const copied = (node, above) => {
  const look = getComputedStyle(node);
  if (look.display == "none" || node.matches(".hit")) return "";
  const copy = node.cloneNode();
  for (const { name } of node.attributes) if (!/^([dxyrc]|[rc][xy]|width|height|transform|viewBox)$/.test(name)) copy.removeAttribute(name);
  for (const name of look) if (/^(fill|stroke|font-[fsw]|text-[ad]|dom|opacity)/.test(name) && (name == "opacity" || look[name] != above[name])) copy.style[name] = look[name];
  const textLength = node.getComputedTextLength?.();
  if (textLength) put(copy, { textLength, lengthAdjust: "spacingAndGlyphs" });
  for (const child of node.childNodes) copy.append(child.data ?? copied(child, look));
  return copy;
};
const boxOf = (what, air) => {
  const { x, y, width, height } = what.getBoundingClientRect();
  return { x: x - air, y: y - air, width: width + 2 * air, height: height + 2 * air };
};

// The blocks of the drawing as they stand, on the page's colour.
const drawing = (film, fill) => {
  let root;
  document.dispatchEvent(new CustomEvent("explorer-save", { detail: { film, take: (found) => (root = found) } }));
  if (!root) throw "No drawing here.";
  const range = new Range();
  range.selectNodeContents(root);
  const box = boxOf(range, 16);
  const all = E("svg", { ...box, viewBox: Object.values(box) });
  all.append(E("rect", { ...box, fill }));
  for (const svg of root.children) all.append(put(copied(svg, {}), { ...boxOf(svg, 0), overflow: "visible" }));
  return new XMLSerializer().serializeToString(all);
};

// Twice as many pixels as on screen.
const pixels = async (text) => {
  const image = H("img", { src: "data:image/svg+xml," + encodeURIComponent(text) });
  await image.decode();
  const canvas = new OffscreenCanvas(2 * image.width, 2 * image.height);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob();
};

const keep = async (view, kind) => {
  const { film, name, dot } = view.data;
  const text = kind == "dot" ? dot : drawing(film, getComputedStyle(view).backgroundColor);
  const href = URL.createObjectURL(new Blob([kind == "png" ? await pixels(text) : text]));
  H("a", { href, download: name.replace(/[^\p{L}\d]+/gu, "-") + "." + kind }).click();
};

export default function ({ data, parentElement }) {
  const view = parentElement.querySelector(".save") || H("div", { className: "save" });
  view.data = data;
  if (view.firstChild) return;
  // What went wrong, or nothing.
  const told = H("output");
  view.append(
    ...["svg", "png", "dot"].map((kind) => H("button", { innerText: kind, onclick: async () => (told.textContent = await keep(view, kind).catch(String)) })),
    told,
  );
  parentElement.append(view);
}
