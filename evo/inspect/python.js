// What Python means where JavaScript means something else; no Python name holds a "$".
const $truth = (x) => Boolean(x) || Number.isNaN(x);
const $and = (x, y) => ($truth(x) ? y : x);
const $or = (x, y) => ($truth(x) ? x : y);
const $logical = (x, y) => typeof x === "boolean" && typeof y === "boolean";
const $both = (x, y) => ($logical(x, y) ? x && y : x & y);
const $either = (x, y) => ($logical(x, y) ? x || y : x | y);
const $differ = (x, y) => ($logical(x, y) ? x !== y : x ^ y);
const $invert = (x) => (typeof x === "boolean" ? !x : ~x);
const $where = (condition, yes, no) => ($truth(condition) ? yes : no);
const $min = (...values) => values.reduce((least, x) => (x < least ? x : least));
const $max = (...values) => values.reduce((most, x) => (x > most ? x : most));
const $clip = (x, low, high) => $min($max(x, low), high);
const $signs = (x, y) => x !== 0 && (x < 0) !== (y < 0);
const $modulo = (x, y) => {
  const rest = x % y;
  return $signs(rest, y) ? rest + y : rest;
};
const $floor_divide = (x, y) => {
  const rest = x % y;
  const ratio = (x - rest) / y - ($signs(rest, y) ? 1 : 0);
  const whole = Math.floor(ratio);
  return ratio - whole > 0.5 ? whole + 1 : whole;
};
const $power = (x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y);
