#!/usr/bin/env python3
"""Draws 48 short clips that are open cameras without being filmed: talking faces before plain or graded backgrounds, and moving
patterns, with the noise of a sensor.   usage: drawn.py FOLDER   (320x180 .y4m). Needs numpy."""

import sys
import numpy as np

W, H, FRAMES = 320, 180, 24
random = np.random.default_rng(5)
row, column = np.mgrid[0:H, 0:W]


def yuv(rgb):
    r, g, b = rgb[..., 0], rgb[..., 1], rgb[..., 2]
    y = 16 + 0.257 * r + 0.504 * g + 0.098 * b
    half = lambda plane: plane.reshape(H // 2, 2, W // 2, 2).mean((1, 3))
    u, v = 128 - 0.148 * r - 0.291 * g + 0.439 * b, 128 + 0.439 * r - 0.368 * g - 0.071 * b
    return b"".join(np.clip(np.rint(plane), 0, 255).astype(np.uint8).tobytes() for plane in (y, half(u), half(v)))


def pattern(at, phase):
    waves = [128 + 100 * np.sin(column / 30 + at * 0.3 + k + phase[0]) * np.cos(row / 25 + k) for k in range(3)]
    picture = np.stack(waves, -1)
    middle = int(160 + 120 * np.sin(at * 0.2))
    picture[60:120, max(0, middle - 30) : middle + 30] = [240, 240, 30]
    return picture


def face(at, phase, look):
    picture = look["wall"] + (look["floor"] - look["wall"]) * (row / H)[..., None]
    x, y, s = 160 + 12 * np.sin(at * 0.15 + phase[1]), 92 + 5 * np.sin(at * 0.2 + phase[2]), look["size"] * 55
    within = lambda dx, dy, rx, ry: ((column - x - dx * s) / (rx * s)) ** 2 + ((row - y - dy * s) / (ry * s)) ** 2 < 1
    picture[within(0, 1.75, 1.5, 0.9)] = look["shirt"]
    picture[within(0, -0.15, 0.85, 1.1)] = look["hair"]
    picture[within(0, 0.1, 0.7, 0.95)] = look["skin"]
    for eye in (-0.28, 0.28):
        picture[within(eye, -0.05, 0.13, 0.08)] = 240
        picture[within(eye, -0.05, 0.06, 0.06)] = [30, 20, 20]
    picture[within(0, 0.5, 0.28, 0.03 + 0.12 * abs(np.sin(at * 0.9)))] = [120, 40, 50]
    return picture


for clip in range(48):
    wall = random.uniform(20, 235, 3)
    look = {
        "wall": wall,
        "floor": wall + random.uniform(-50, 50, 3) if clip % 3 else wall,
        "hair": random.uniform(10, 120, 3),
        "skin": random.uniform(90, 240) * np.array([1, 0.8, 0.68]),
        "shirt": random.uniform(20, 230, 3),
        "size": random.uniform(0.55, 1.1),
    }
    noise, phase = random.uniform(1, 6), random.uniform(0, 6, 4)
    with open(f"{sys.argv[1]}/drawn_{clip:02d}.y4m", "wb") as out:
        out.write(f"YUV4MPEG2 W{W} H{H} F15:1 C420jpeg\n".encode())
        for at in range(FRAMES):
            picture = pattern(at, phase) if clip % 8 == 7 else face(at, phase, look)
            picture = np.clip(picture + random.normal(0, noise, (H, W, 1)), 0, 255)
            out.write(b"FRAME\n" + yuv(picture))
