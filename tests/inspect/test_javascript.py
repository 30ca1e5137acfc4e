"""Python and its translation, run in a browser, say the same; what cannot be translated is refused with its line."""

import base64
import hashlib
import importlib.util
import json
import math
import types
from dataclasses import dataclass

import numpy as np
import pytest

import problems
from evo import activations, lanes
from evo.control import ControlProblem
from evo.inspect.javascript import NotTranslatable, activations_source, problem_source, translate
from evo.inspect.translation import KNOWN
from problems.control.cartpole_swingup import CartPoleSwingUp

pytest_plugins = ["browser"]

CONTROL_PROBLEMS = [
    made for made in map(problems.CATALOGUE.find, sorted(problems.CATALOGUE.places)) if issubclass(made, ControlProblem)
]
SHAPES = {"line": 5, "box": 5, "circle": 4}


@pytest.fixture
def run(chromium_page):
    """Call a function of a script with each of many lists of arguments, in a page that allows this script alone."""

    def call(source, expression, cases):
        script = f'"use strict";\n{source}'
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy = f"""<meta http-equiv="Content-Security-Policy" content="script-src 'sha256-{digest}'">"""
        chromium_page.write(f'<!doctype html><meta charset="utf-8">{policy}<script>{script}</script>')
        assert chromium_page.errors == []
        return chromium_page.page.evaluate(f"(cases) => cases.map((case_) => ({expression})(...case_))", cases)

    return call


@pytest.fixture
def written(tmp_path):
    """Return the module that some Python source is."""

    def load(source, name="written"):
        path = tmp_path / f"{name}.py"
        path.write_text("from evo.lanes import *\n" + source, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


def same(ours, theirs, tolerance=1e-9):
    """Whether nested tuples of numbers, truth values and texts are the same."""
    if isinstance(ours, (tuple, list)):
        return len(ours) == len(theirs) and all(same(*pair, tolerance) for pair in zip(ours, theirs, strict=True))
    if isinstance(ours, (str, bool)) or isinstance(theirs, (str, bool)):
        return type(ours) is type(theirs) and ours == theirs
    return ours == theirs or math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=tolerance)


def disagreements(function, cases, answers):
    return [(c, function(*c), a) for c, a in zip(cases, answers, strict=True) if not same(function(*c), a)]


def together(functions):
    """Return a script with several functions, and one that calls them all with the same arguments."""
    script = "".join(translate(function, function.__name__) for function in functions)
    return script, f"(...case_) => [{', '.join(f.__name__ for f in functions)}].map((judged) => judged(...case_))"


# What Python means


EXPRESSIONS = [
    "x % y",
    "x // y",
    "-x ** 2.0",
    "2.0 ** -y",
    "abs(x) ** 3.0 ** 0.5",
    "(-x) ** 2",
    "x < y < 2.0",
    "x <= y != 1.0 > x",
    "x == y",
    "(x < y) == (y > x)",
    "(x < y) + (y < 1.0) * 2.0",
    "not x",
    "x and y",
    "x or y",
    "x > 0.0 and y > 0.0 or not y",
    "(x > 0.0) & (y > 0.0) | (x == y)",
    "(x > 0.0) ^ (y > 0.0)",
    "(x > 0.0) & 1",
    "min(x, y, 0.5)",
    "max(y, x)",
    "abs(x) - absolute(y)",
    "clip(x, -1.0, y)",
    "where(x, y, -1.0)",
    "x - (y - x) - y / (x / 3.0)",
    "- -x - +y",
    "1e300 * 1e10 * x",
    "1e-05 + x * 0.1",
    "((x, y), (x,))",
    "(x, (y, 'box'))[1]",
    "(x, y)[-1]",
    "('a<b', '</script', '<!-- <script ', \"'\\\"\\u2028\")",
    "where(x > y, INFINITY, -INFINITY)",
    "(True, False)",
    "()",
]


def test_expressions_mean_what_python_means(run, written):
    source = "".join(f"def judged_{place}(x, y):\n    return {text}\n" for place, text in enumerate(EXPRESSIONS))
    module = written(source)
    functions = [getattr(module, f"judged_{place}") for place in range(len(EXPRESSIONS))]
    numbers = [-7.5, -3.0, -1.0, -0.5, 0.25, 1.0, 2.0, 3.0, 7.5]
    cases = [(x, y) for x in numbers for y in numbers]
    script, call = together(functions)
    answers = run(script, call, cases)
    for place, (text, function) in enumerate(zip(EXPRESSIONS, functions, strict=True)):
        assert disagreements(function, cases, [row[place] for row in answers]) == [], text


def test_zero_nan_and_infinity_are_what_they_are_in_python(run, written):
    text = "(not x, x and y, x or y, where(x, 1.0, 2.0), max(x, y), min(x, y), clip(x, 0.5, y), (x + 1.0) ** y)"
    function = written(f"def judged(x, y):\n    return {text}\n").judged
    cases = [(0.0, 3.0), (math.nan, 3.0), (3.0, math.nan), (0.0, math.nan), (math.inf, 1.0), (-2.0, math.inf)]
    answers = run(translate(function, "judged"), "judged", cases)
    for case, answer in zip(cases, answers, strict=True):
        assert repr([float(value) for value in function(*case)]) == repr([float(value) for value in answer])


def random_expression(rng, depth):
    """Return an expression of operations that are exact or rounded once, so that both languages give the same bits."""
    if depth == 0:
        return str(rng.choice(["x", "y", "z", "-x", "2.5", "0.5", "y ** 2.0", "-x ** 3.0", "3"]))
    one, other, third = (random_expression(rng, depth - 1) for _ in range(3))
    kind = int(rng.integers(12))
    if kind < 5:
        return f"{one} {rng.choice(['+', '-', '*', '/', '%', '//'])} {other}"
    if kind < 7:
        return f"({one}) {rng.choice(['+', '-', '*', '/', '%', '//'])} ({other})"
    return [
        f"where({one} {rng.choice(['<', '<=', '>=', '!='])} {other}, {third}, -({one}))",
        f"min({one}, {other}) + sqrt(abs({third}))",
        f"max({one}, -({other}), {third})",
        f"clip({one}, -1.5, 4.0)",
        f"(({one} < {other} < {third}) {rng.choice(['and', 'or', '&', '|'])} (not ({one} > {other})))",
    ][kind - 7]


def test_random_expressions_mean_the_same(run, written):
    rng = np.random.default_rng(0)
    texts = [random_expression(rng, int(rng.integers(1, 5))) for _ in range(300)]
    source = "".join(f"def judged_{place}(x, y, z):\n    return {text}\n" for place, text in enumerate(texts))
    module = written(source)
    functions = [getattr(module, f"judged_{place}") for place in range(len(texts))]
    cases = (rng.integers(-12, 13, (20, 3)) / 2).tolist()
    script, call = together(functions)
    answers = run(script, call, cases)
    compared = 0
    for case, row in zip(cases, answers, strict=True):
        for function, text, answer in zip(functions, texts, row, strict=True):
            try:
                ours = function(*case)
            except (ZeroDivisionError, OverflowError):
                continue  # where Python raises, JavaScript goes on with Infinity or NaN
            compared += 1
            assert same(ours, answer), (text, case, ours, answer)
    assert compared > 0.7 * len(functions) * len(cases)


# Statements, names and functions

STATEMENTS = """
import math
import numpy as np

SCALES = (0.5, -2.0)
PLACE = 1
LIMIT = np.float64(3.5)

def wrapped(angle, turn=2.0 * PI):
    'Bring an angle near 0.'
    return (angle + PI) % turn - PI

half = lambda x: 0.5 * x

class Holder:
    @staticmethod
    def judged(state, new):
        '''Names that JavaScript keeps to itself,
and a line that begins further left.'''
        let, (θ, _) = state
        const = var = θ * SCALES[PLACE]
        total: float = const + var
        total += wrapped(let)
        total **= 2.0
        total //= 0.5
        Math, wrapped_ = let, θ
        let, θ = θ, let
        return (let, θ, total, half(total), other(let), new[-1], math.pi, np.e, LIMIT, min(Math, wrapped_)), wrapped(
            9.0, 4.0
        )
"""
OTHER = """
def wrapped(angle):
    return angle * 100.0
"""


def test_statements_names_and_helpers(run, written):
    module = written(STATEMENTS)
    module.other = written(OTHER, "other").wrapped  # another function of the same name
    cases = [((x, (y, 0.0)), (1.0, x)) for x in (-9.0, 0.5, 4.0) for y in (-2.0, 3.0)]
    function = module.Holder.judged
    source = translate(function, "judged")
    assert source.isascii()
    assert source.count("function wrapped$") == 2
    assert disagreements(function, cases, run(source, "judged", cases)) == []


def test_numbers_and_functions_of_a_closure_are_resolved(run):
    def made(scale, shift):
        def moved(x):
            return x + shift

        def judged(x):
            return scale * moved(x)

        return judged

    functions = [made(2.0, -1e-7), made(-3.0, math.inf)]
    source = "".join(translate(function, f"judged_{place}") for place, function in enumerate(functions))
    answers = run(source, "(x) => [judged_0(x), judged_1(x)]", [[0.25], [4.0]])
    assert answers == [[function(x) for function in functions] for x in (0.25, 4.0)]


def test_lambdas_are_translated(run, written):
    module = written("scaled = lambda x, by=2.0: x * by\n")
    assert run(translate(module.scaled, "scaled"), "scaled", [[3.0], [3.0, -1.0]]) == [6.0, -3.0]


def test_every_function_of_lanes_has_a_counterpart():
    own = [value for value in vars(lanes).values() if getattr(value, "__module__", "") == lanes.__name__]
    assert [function.__name__ for function in own if isinstance(function, types.FunctionType)]
    assert [f.__name__ for f in own if isinstance(f, types.FunctionType) and f not in KNOWN] == []


def test_a_truth_value_inverted_is_its_contrary_as_it_is_on_tensors(run, written):
    function = written("def judged(x):\n    return ~(x > 0.0) & ~(x < -1.0), ~3\n").judged
    assert run(translate(function, "judged"), "judged", [[0.5], [-0.5], [-2.0]]) == [
        [False, -4],
        [True, -4],
        [False, -4],
    ]


@pytest.mark.parametrize(
    ("body", "construct"),
    [
        ("if x > 0:\n        return x\n    return y", "If"),
        ("return x if y else 0.0", "IfExp"),
        ("for _ in range(3):\n        x = x + y\n    return x", "For"),
        ("while x > 0:\n        x = x - 1.0\n    return x", "While"),
        ("return [x, y]", "List"),
        ("return (x, y)[:1]", "Slice"),
        ("return (x, y)[y]", "Name"),
        ("return (x, y)[True]", "Constant"),
        ("return (*x, y)", "Starred"),
        ("first, *rest = x\n    return first", "Starred"),
        ("return x.real", "Attribute"),
        ("return lanes_.missing", "Attribute"),
        ("return sum(x)", "Call"),
        ("return max(x)", "Call"),
        ("return clip(x, low=0.0, high=1.0)", "Call"),
        ("return x(y)", "Name"),
        ("return exec('x')", "Call"),
        ("return (lambda z: z)(x)", "Lambda"),
        ("return f'{x}'", "JoinedStr"),
        ("return 'ab' * 2", "Constant"),
        ("return (x, y) + (x,)", "Tuple"),
        ("return x * PAIR", "Name"),
        ("return x is y", "Compare"),
        ("return x in (y,)", "Compare"),
        ("return x @ y", "BinOp"),
        ("return x << 1", "BinOp"),
        ("return None", "Constant"),
        ("return 3j", "Constant"),
        ("return 9007199254740993", "Constant"),
        ("return ...", "Constant"),
        ("return TABLE", "Name"),
        ("return nowhere", "Name"),
        ("return (z := x)", "NamedExpr"),
        ("return {x: y}", "Dict"),
        ("return tuple(z for z in x)", "Call"),
        ("global TABLE\n    return x", "Global"),
        ("x[0] = y\n    return x", "Subscript"),
        ("assert x\n    return x", "Assert"),
        ("import math\n    return x", "Import"),
        ("try:\n        return x\n    finally:\n        pass", "Try"),
        ("y = x", "Assign"),
        ("return", "Return"),
        ("return helper(x)", "Set"),
        ("return decorated(x)", "Attribute"),
        ("return spread(x)", "arguments"),
    ],
)
def test_everything_else_is_refused_with_its_line(body, construct, written):
    before = (
        "import functools\nimport evo.lanes as lanes_\nTABLE, PAIR = {1: 2}, (1.0, 2.0)\n"
        "def helper(x):\n    return {x}\n"
        "@functools.cache\ndef cached(x):\n    return x\ndecorated = cached.__wrapped__\n"
        "def spread(*x):\n    return x\n"
    )
    module = written(f"{before}def judged(x, y):\n    {body}\n")
    with pytest.raises(NotTranslatable, match=rf"written\.py, line \d+\).*\({construct}\)") as caught:
        translate(module.judged, "judged")
    line = int(str(caught.value).split("line ")[1].split(")")[0])
    first = before.count("\n") + 2
    other = {"helper": 6, "decorated": 7, "spread": 11}.get(body.removeprefix("return ").removesuffix("(x)"))
    assert line == other if other else first < line <= first + 1 + body.count("\n")


def test_the_refusal_says_what_to_write_instead(written):
    module = written("def judged(x):\n    y = 2.0 * x\n    return y if x > 0 else -y\n")
    with pytest.raises(NotTranslatable) as caught:
        translate(module.judged, "judged")
    assert str(caught.value) == (
        "judged (written.py, line 4): no JavaScript for `y if x > 0 else -y` (IfExp): write where(condition, yes, no)"
    )


@pytest.mark.parametrize("function", [math.sin, np.sin, CartPoleSwingUp, "text", CartPoleSwingUp().start])
def test_what_is_no_plain_function_is_refused(function):
    with pytest.raises(NotTranslatable, match="expected a plain function or a static method"):
        translate(function, "judged")


def test_functions_without_source_are_refused():
    scope = {}
    exec("def judged(x):\n    return x", scope)
    with pytest.raises(NotTranslatable, match="its source is not at hand"):
        translate(scope["judged"], "judged")
    pair = (lambda x: x, lambda x: -x)
    with pytest.raises(NotTranslatable, match="use `def`"):
        translate(pair[0], "judged")


@pytest.mark.parametrize("name", ["", "a b", "1x", "x;alert(1)", "</script>"])
def test_names_are_names(name):
    with pytest.raises(ValueError, match="name: expected a letter"):
        translate(activations.linear, name)


# Activations and problems


def test_activations_agree_with_python(run):
    rng = np.random.default_rng(0)
    inputs = [0.0, -0.0, 1e-300, 30.0, -30.0, *rng.normal(0, 3, 100), *rng.uniform(-1, 1, 100)]
    names = [name for name, _ in activations.FUNCTIONS]
    answers = run(
        activations_source(), f"(x) => {json.dumps(names)}.map((name) => activations[name](x))", [[x] for x in inputs]
    )
    for x, row in zip(inputs, answers, strict=True):
        for (name, function), answer in zip(activations.FUNCTIONS, row, strict=True):
            assert same(function(float(x)), answer), (name, x)


def test_the_objects_have_nothing_but_what_python_put_there(run):
    source = activations_source() + problem_source(CartPoleSwingUp())
    answers = run(source, "() => [Object.keys(activations), Object.keys(problem), 'constructor' in activations]", [[]])
    assert answers == [[list(activations.IDS), ["steps", "observe", "advance", "scene"], False]]


def states_and_actions(problem, count):
    """Return states that episodes with random actions come through, each with the action taken there."""
    rng = np.random.default_rng(1)
    starts = problem.start(8, rng).tolist()
    pairs = []
    while len(pairs) < count:
        state, done = tuple(starts[len(pairs) % len(starts)]), False
        for _ in range(40):
            action = tuple(rng.normal(0, 1.5, len(problem.outputs)).tolist())
            pairs.append((state, action))
            state, _, done = problem.advance(state, action)
            if done:
                break
    return pairs[:count]


@pytest.mark.parametrize("made", CONTROL_PROBLEMS, ids=lambda made: made.__name__)
def test_problems_agree_with_python_step_by_step(made, run):
    problem = made()
    pairs = states_and_actions(problem, 200)
    call = "(state, action) => [problem.observe(state), problem.advance(state, action), problem.scene(state)]"
    answers = run(problem_source(problem), call, pairs)
    for (state, action), (seen, moved, shapes) in zip(pairs, answers, strict=True):
        assert same(problem.observe(state), seen)
        assert same(problem.advance(state, action), moved), (state, action)
        assert same(problem.scene(state), shapes)
        assert len(seen) == len(problem.inputs)
        assert len(moved[0]) == len(problem.states)
        assert all(len(shape) == SHAPES[shape[0]] for shape in shapes)


def test_the_swing_up_stays_with_python_for_200_steps(run):
    rng = np.random.default_rng(2)
    state = (0.1, 0.0, 2.0, -1.0)
    actions = rng.normal(0, 1, (200, 1)).tolist()
    expected, ours = [], state
    for action in actions:
        ours, reward, done = CartPoleSwingUp.advance(ours, tuple(action))
        expected.append((ours, reward, done))
    trajectory = (
        "(state, actions) => actions.map((action) => { const moved = problem.advance(state, action);"
        " state = moved[0]; return moved; })"
    )
    [answers] = run(problem_source(CartPoleSwingUp()), trajectory, [(state, actions)])
    assert same(tuple(expected), answers)
    assert len({round(moved[1], 3) for moved in answers}) > 100


@dataclass(frozen=True)
class Drawn(CartPoleSwingUp):
    @staticmethod
    def scene(state):
        position, _, angle, _ = state
        tip = position + 0.6 * lanes.sin(angle), 0.6 * lanes.cos(angle)
        return (
            ("line", -2.4, 0.0, 2.4, 0.0),
            ("box", position, 0.0, 0.4, 0.2),
            ("line", position, 0.0, tip[0], tip[1]),
            ("circle", tip[0], tip[1], 0.05),
        )


def test_scenes_are_shapes(run):
    states = [pair[:1] for pair in states_and_actions(Drawn(), 50)]
    answers = run(problem_source(Drawn(steps=7)), "problem.scene", states)
    assert disagreements(Drawn.scene, states, answers) == []
    assert answers[0][0] == ["line", -2.4, 0, 2.4, 0]


@dataclass(frozen=True)
class Bare(CartPoleSwingUp):
    scene = staticmethod(ControlProblem.scene)


def test_without_a_scene_there_are_no_shapes(run):
    source = problem_source(Bare(steps=7))
    assert run(source, "(state) => [problem.steps, problem.scene(state)]", [[[0.0] * 4]]) == [[7, []]]


@dataclass(frozen=True)
class Branching(CartPoleSwingUp):
    @staticmethod
    def scene(state):
        if state[0] > 0:
            return ()
        return (("circle", state[0], 0.0, 1.0),)


def test_problems_with_branches_have_no_live_page():
    with pytest.raises(NotTranslatable, match=r"Branching\.scene \(test_javascript\.py, line \d+\).*where"):
        problem_source(Branching())


def test_settings_of_a_stranger_do_not_get_into_the_script():
    hostile = CartPoleSwingUp(steps="1}; alert(1); const x = {a: 1")
    with pytest.raises(ValueError, match="invalid literal"):
        problem_source(hostile)
