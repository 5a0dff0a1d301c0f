#!/usr/bin/env python3
"""Fits the weights of src/cover.rs.   usage: fit.py SET CLEAR VEILED [SET CLEAR VEILED ...]

SET holds labels.json; CLEAR and VEILED are what `cargo xtask bench cover SET --measures --out FILE [--veiled]` wrote. SCORE, the
folder of score.py, is the first SET. Prints, for each set and view, what the weights do on people and rooms that they were not
fitted on (each left out in turn), then what the weights fitted on everything do, then these weights. Needs numpy and scipy.

Clear and veiled pictures have weights of their own; which apply is asked of each picture, as the detector does.

Each weight has the sign that reason gives it. Richer models (more measures, trees) did better on the clips they were fitted on and
fell apart on other people and rooms."""

import csv, json, sys
import numpy as np
from scipy.optimize import minimize

RIDGE = 0.01
OPEN = 3.0  # weight of all open pictures against all covered ones
SHIFT = {"clear": -0.25, "veiled": -0.5}  # moves the fitted threshold of a part towards fewer alarms
SHIFTS = (-1.0, -0.5, -0.25, 0.0, 0.5)
VIEWS = ("clear", "veiled")
MOSAIC = 0.9
FPS, MOST, SOONEST, SETTLED = 15, 4.0, 0.19, 4  # SOONEST: as EVIDENCE in detector.rs

# name of the measure, what is added before the logarithm (None: as it is), sign
WHOLE = [("sharpest", 1.0, -1), ("colours", 2.0, -1), ("step", 0.5, -1), ("since_remains", 1.0, -1)]
PART = [("lost", 0.05, 1), ("gained", None, -1), ("texture", 0.3, -1), ("edges", 1.0, -1), ("emptied", 0.05, 1), ("least_side", 0.05, -1)]
NOT_VEILED = ("emptied", "least_side")  # a mosaic has no texture that could fade; its weights were not fitted again since


def read(path):
    clips = {}
    with open(path) as file:
        rows = csv.reader(file)
        names = next(rows)[2:]
        for row in rows:
            clips.setdefault(row[0], []).append([float(value) for value in row[2:]])
    return {clip: dict(zip(names, np.array(rows).T)) for clip, rows in clips.items()}


def columns(measures, model, prefix=""):
    return np.stack([measures[prefix + name] if add is None else np.log(measures[prefix + name] + add) for name, add, _ in model], 1)


def place(source):
    """Clips of one place and its people stay together: whoever is left out is left out with the room."""
    return source.split("_")[0] if source.startswith(("asl_", "clm_", "tg_", "drawn")) else source


def truth(clip, frames, least):
    """1 covered, 0 open, -1 not used (sliding in or out, small covers, pictures that no camera took)."""
    marks = np.zeros(frames)
    for event in clip["events"]:
        if event["cls"] == "noview":
            continue
        marks[max(0, event["onset"]) : event["gone"] + 6] = -1
        drawn = "eshutter" in event["kind"] or event["cls"] == "notlive"
        if not drawn and event["cov"] >= least:
            marks[event["start"] + 4 : event["end"]] = 1
    return marks


def used(model, view):
    return [view == "clear" or name not in NOT_VEILED for name, *_ in model]


def fit(samples, signs, used=None):
    """Weights and bias. Those that are not used stay 0."""
    x = np.concatenate([x[t >= 0] for x, t in samples])
    covered = np.concatenate([t[t >= 0] for _, t in samples]) > 0
    weight = np.where(covered, 1 / covered.sum(), OPEN / (~covered).sum())
    mean, deviation = x.mean(0), x.std(0)
    z = (x - mean) / deviation

    def loss(p):
        logit = z @ p[:-1] + p[-1]
        value = (weight * np.logaddexp(0, np.where(covered, -logit, logit))).sum() + RIDGE / 2 * (p[:-1] ** 2).sum()
        slope = weight * (1 / (1 + np.exp(-logit)) - covered)
        return value, np.append(z.T @ slope + RIDGE * p[:-1], slope.sum())

    used = used or [True] * len(signs)
    bounds = [(0, 0) if not use else (None, 0) if sign < 0 else (0, None) for sign, use in zip(signs, used)] + [(None, None)]
    p = minimize(loss, np.zeros(len(signs) + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = p[:-1] / deviation
    return weights, p[-1] - (weights * mean).sum()


def still(measures):
    """Pictures that src/still.rs takes for repeated or drawn, in a clear view."""
    out, smoothed, frozen, drawn = [], 0.5, 0, 0
    for change, empty in zip(measures["change"], measures["empty"]):
        smoothed += 0.3 * (min(change, 0.5) - smoothed)
        frozen = frozen + 1 if smoothed <= 0.05 else 0
        drawn = drawn + 1 if empty >= 0.8 and change <= 0.03 else 0
        out.append(frozen > 24 or drawn > 4)
    return np.array(out)


def alarms(logits):
    """As src/hysteresis.rs does."""
    states, full, shown = [], MOST * SOONEST, "unknown"
    level = full / 2
    for at, logit in enumerate(logits):
        if at + 1 >= SETTLED:
            level = min(max(level + float(np.clip(logit, -MOST, MOST)) / FPS, 0.0), full)
        if level <= 0:
            shown = "clear"
        elif level >= full and shown in ("clear", "unknown"):
            shown = "covered"
        states.append(("clear" if shown == "unknown" else shown, None))
    return dict(enumerate(states))


class Clip:
    def __init__(self, label, measures, view):
        self.label, self.place, self.view = label, place(label["source"]), view
        self.mosaic = measures["inside_flat"] >= MOSAIC
        self.whole = columns(measures, WHOLE)
        self.part = [columns(measures, PART, prefix) for prefix in ("since_", "before_")]
        self.still = still(measures)
        frames = len(self.whole)
        self.whole_truth = truth(label, frames, 0.85)
        begun = any(event["onset"] <= 0 for event in label["events"])
        self.part_truth = np.full(frames, -1.0) if begun else truth(label, frames, 0.45)

    def logits(self, models, shift):
        by_view = []
        for view in VIEWS:
            (whole, whole_bias), (part, part_bias) = models[view]
            seen = self.whole @ whole + whole_bias
            lost = np.min([x @ part for x in self.part], 0) + part_bias + (SHIFT[view] if shift is None else shift)
            by_view.append(np.maximum(seen, lost))
        return np.where(self.still, MOST, np.where(self.mosaic, by_view[1], by_view[0]))


def train(clips):
    models = {}
    for view in VIEWS:
        those = [clip for clip in clips if clip.view == view]
        whole = fit([(clip.whole, clip.whole_truth) for clip in those], [sign for *_, sign in WHOLE])
        part = fit([(clip.part[0], clip.part_truth) for clip in those], [sign for *_, sign in PART], used(PART, view))
        models[view] = whole, part
    return models


def tell(score, title, clips, model_of, shift):
    said = {clip.label["clip"]: alarms(clip.logits(model_of(clip), shift)) for clip in clips}
    r = score.score([clip.label for clip in clips], said)
    c, n = r["cover"], r["notlive"]
    print(f"{title:28s} {'as chosen' if shift is None else shift}: within 1 s {c['in1s']:.3f} p50 {c['p50']:.2f} p95 {c['p95']:.2f} held {c['held']:.3f} release p95 {c['rel95']:.2f}"
          f" | false alarms {r['fa_per_h']:.1f}/h, {r['fa_per_h_without_noview']:.1f} outside nobody-in-view | not live {n['hit']:.2f}")  # fmt: skip
    if "--list" in sys.argv:
        print("   missed", [(m[0][-4:], m[1], m[2]) for m in r["misses"]], "\n   false", [(m[0][-4:], m[1], m[2]) for m in r["famap"]])


def main():
    paths = [path for path in sys.argv[1:] if not path.startswith("--")]
    sys.path.insert(0, paths[0])
    import score

    sets = []
    for folder, clear, veiled in zip(paths[0::3], paths[1::3], paths[2::3]):
        labels = json.load(open(folder + "/labels.json"))
        for view, path in (("clear", clear), ("veiled", veiled)):
            measures = read(path)
            sets.append((f"{folder.rstrip('/').split('/')[-1]} {view}", [Clip(l, measures[l["clip"]], view) for l in labels if l["clip"] in measures]))
    everything = [clip for _, clips in sets for clip in clips]
    places = sorted({clip.place for clip in everything})
    without = {left: train([clip for clip in everything if clip.place != left]) for left in places}
    print("each place with its people left out in turn:", *places)
    for title, clips in sets:
        for shift in SHIFTS:
            tell(score, title, clips, lambda clip: without[clip.place], shift)
    models = train(everything)
    print("fitted on all of it")
    for title, clips in sets:
        tell(score, title, clips, lambda clip: models, None)
    for view in VIEWS:
        for name, (weights, bias), model, shift in zip(("whole", "part"), models[view], (WHOLE, PART), (0.0, SHIFT[view])):
            print(view, name, *(f"{measure[0]} {weight:.3f}" for measure, weight in zip(model, weights)), f"bias {bias + shift:.3f}")


main()
