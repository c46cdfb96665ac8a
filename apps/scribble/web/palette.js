// Colours: the sixteen to begin with (the server's `welcome` has the last word), their names for people, their keys.

export const COLOURS = [
  "#ffffff", "#1b1b1f", "#868e96", "#d0d4d9", "#8d5a3b", "#e03131", "#f76707", "#fcc419",
  "#94d82d", "#2f9e44", "#22b8cf", "#1c7ed6", "#3b3fb6", "#9c36b5", "#f783ac", "#ffd8a8",
];
export const KEYS = "1234567890qwerty";

const NAMES = {
  White: "#ffffff", "Light grey": "#d8d8d8", Grey: "#888888", "Dark grey": "#4a4a4a", Black: "#111111",
  Pink: "#ffa7d1", "Hot pink": "#ff3881", Red: "#e03131", "Dark red": "#8b0018", Orange: "#ef8a00", Peach: "#ffc9a0",
  Brown: "#a06a42", "Dark brown": "#5a3418", Yellow: "#ffe000", "Pale yellow": "#fff8b8", "Light green": "#94e044",
  Green: "#02a801", "Dark green": "#00562c", Teal: "#00756f", Turquoise: "#00d3dd", "Light blue": "#8ac8ff",
  Blue: "#0083c7", "Dark blue": "#0000ea", Navy: "#12205c", Indigo: "#3b3fb6", Lavender: "#c0a8ff", Violet: "#cf6ee4",
  Purple: "#96309c",
};

const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

function far(a, b) {
  const [r, g, blue] = parts(a).map((value, at) => value - parts(b)[at]);
  return 3 * r * r + 6 * g * g + blue * blue;
}

/** A name for each colour, no two alike. */
export function names(palette) {
  const left = Object.entries(NAMES);
  return palette.map((hex, index) => {
    left.sort(([, a], [, b]) => far(hex, a) - far(hex, b));
    return left.shift()?.[0] ?? `Colour ${index + 1}`;
  });
}

/** Whether black marks are seen better on the colour than white ones. */
export function isLight(hex) {
  const [r, g, b] = parts(hex).map((value) => {
    const part = value / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18;
}

/** The radio buttons of a palette, into `box`; `choose(index)` is called with the chosen one. */
export function show(box, palette, chosen, choose) {
  const called = names(palette);
  box.style.setProperty("--columns", String(Math.min(8, Math.ceil(palette.length / 2))));
  box.replaceChildren(
    ...palette.map((hex, index) => {
      const label = document.createElement("label");
      label.className = isLight(hex) ? "swatch light" : "swatch";
      label.title = `${called[index]}${KEYS[index] ? ` (key ${KEYS[index].toUpperCase()})` : ""}`;
      const input = document.createElement("input");
      input.type = "radio";
      input.name = "colour";
      input.value = String(index);
      input.checked = index === chosen;
      input.setAttribute("aria-label", called[index]);
      input.onchange = () => choose(index);
      const patch = document.createElement("span");
      patch.style.backgroundColor = hex;
      label.append(input, patch);
      return label;
    }),
  );
  return called;
}
