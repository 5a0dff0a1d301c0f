#!/usr/bin/env python3
"""Fits the weights of src/detector.rs.

usage: fit.py SET MEASURES MEASURES_VEILED DRAWN DRAWN_VEILED

SET holds labels.json and score.py; the other four are written by `cover_csv FOLDER --measures [--veiled]` over the decoded
clips of the set, and over the folder that drawn.py filled. Prints the figures of a cross-validation whose folds are made
by the person filmed, for several thresholds, and then the weights fitted on everything. Needs numpy and scipy.

Each weight has one sign (the less of anything there is to see, the more covered), and there are four of them: richer models
did better in cross-validation by a percent or two and are known to fall apart on other people and rooms."""

import csv, json, sys
import numpy as np
from scipy.optimize import minimize

FOLDS = 6
RIDGE = 0.02
DRAWN_TIMES = 6  # how often the drawn faces count among the open cameras
THRESHOLDS = (-1.0, -0.7, -0.4, -0.1, 0.2)
RELEASE = 0.7  # how far under the threshold a cover ends


def read(path):
    clips = {}
    with open(path) as file:
        rows = csv.reader(file)
        names = next(rows)[2:]
        for row in rows:
            clips.setdefault(row[0], []).append([float(value) for value in row[2:]])
    return {clip: dict(zip(names, np.array(rows).T)) for clip, rows in clips.items()}


def columns(m):
    logs = (m["detail"] + 1, m["colours"] + 2, m["mean_step"] + 0.5, m["least_third"] + 1)
    return np.log(np.stack(logs, 1))


def truth(clip, frames):
    """1 covered, 0.5 partly, 0 open, -1 not used (sliding in or out, partial30, not live, nobody in view)."""
    marks = np.zeros(frames)
    for event in clip["events"]:
        marks[max(0, event["onset"]) : event["gone"]] = -1
        if event["cls"] in ("covered", "partial") and clip["category"] != "partial30":
            marks[max(0, event["start"]) : event["end"]] = 1 if event["cls"] == "covered" else 0.5
    return marks


def fit(samples):
    x = np.concatenate([x[t >= 0] for x, t in samples])
    t = np.concatenate([t[t >= 0] for _, t in samples])
    weight = np.where(t == 0.5, 0.5, 1.0)
    covered = t > 0
    weight[covered] *= 0.5 / weight[covered].sum()
    weight[~covered] *= 1.5 / weight[~covered].sum()
    mean, deviation = x.mean(0), x.std(0)
    z = (x - mean) / deviation

    def loss(p):
        logit = z @ p[:-1] + p[-1]
        value = (weight * np.logaddexp(0, np.where(covered, -logit, logit))).sum() + RIDGE / 2 * (p[:-1] ** 2).sum()
        slope = weight * (1 / (1 + np.exp(-logit)) - covered)
        return value, np.append(z.T @ slope + RIDGE * p[:-1], slope.sum())

    count = x.shape[1]
    bounds = [(None, 0)] * count + [(None, None)]
    p = minimize(loss, np.zeros(count + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    weights = p[:-1] / deviation
    return weights, p[-1] - (weights * mean).sum()


def alarms(logits, threshold):
    """As src/detector.rs does: half-way smoothing, a lower threshold for release, 0.33 s before a state is said."""
    states, smoothed, on, run = [], None, False, 0
    for logit in np.clip(logits, -6, 6):
        smoothed = logit if smoothed is None else (smoothed + logit) / 2
        on = smoothed > (threshold - RELEASE if on else threshold)
        run = run + 1 if on else 0
        states.append(("covered" if run >= 6 else "clear", None))
    return dict(enumerate(states))


def main(folder, *paths):
    sys.path.insert(0, folder)
    import score

    clips = json.load(open(folder + "/labels.json"))
    sets = [read(path) for path in paths]
    samples, drawn = {}, []
    for name, measures in zip(("clear", "veiled"), sets[:2]):
        for clip in clips:
            x = columns(measures[clip["clip"]])
            samples[name, clip["clip"]] = (x, truth(clip, len(x)))
    for measures in sets[2:]:
        drawn += [(columns(m)[1:], np.zeros(len(m["mean"]) - 1)) for m in measures.values()] * DRAWN_TIMES
    people = sorted({clip["source"] for clip in clips})
    fold = {clip["clip"]: people.index(clip["source"]) % FOLDS for clip in clips}

    def training(without):
        chosen = [s for (_, clip), s in samples.items() if fold[clip] != without]
        grey = []  # an eighth of the open pictures once more without colour: monochrome cameras
        for x, t in chosen:
            x = x[::8].copy()
            x[:, 1] = np.log(2.5)
            grey.append((x, np.where(t[::8] == 0, 0, -1)))
        return chosen + grey + drawn

    models = [fit(training(k)) for k in range(FOLDS)]
    for name in ("clear", "veiled"):
        for threshold in THRESHOLDS:
            said = {}
            for clip in clips:
                weights, bias = models[fold[clip["clip"]]]
                said[clip["clip"]] = alarms(samples[name, clip["clip"]][0] @ weights + bias, threshold)
            r = score.score(clips, said)
            c = r["cover"]
            print(f"{name:6s} over {threshold:4.1f}: within 1 s {c['in1s']:.3f}, held {c['held']:.2f}, {r['fa_per_h']:.1f} false alarms/h")
    weights, bias = fit(training(None))
    for name, weight in zip(("DETAIL", "COLOURS", "STEP", "LEAST_THIRD"), weights):
        print(f"{name} {weight:.3f}")
    print(f"BIAS {bias:.3f} less the threshold chosen")


main(*sys.argv[1:])
