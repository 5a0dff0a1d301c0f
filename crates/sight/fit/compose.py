#!/usr/bin/env python3
"""Composes a second labelled set, so that weights are not judged on the set they were chosen with.

usage: compose.py FOOTAGE OUT [--clips N] [--seed N] [--only CATEGORY,...] [--photos moved]

FOOTAGE is a text file, one line for each piece of open-camera footage: PATH PERSON FIRST LAST [WIDEST] (frames at 15 a second; LAST
0: to the end; WIDEST: greatest width to be made of it), or `drawn NUMBER` for a drawn face. OUT gets labels.json and VP8 and H.264 files in the format that
`cargo xtask bench cover` reads. Occluders are laid over the footage in linear light, then come defocus, a sensor with noise and
automatic exposure, and an encoder. Needs numpy, scipy and ffmpeg. The parameters are this file's own guesses about cameras; the
set is not shipped."""

import json, os, struct, subprocess, sys
import numpy as np
from scipy.ndimage import gaussian_filter, zoom

FPS = 15
SIZES = [(320, 180)] * 5 + [(480, 270)] * 4 + [(640, 360)] * 3
COVERS = ["finger", "hand", "tape_opaque", "tape_trans", "sticker", "cap", "cloth", "paper", "shutter", "smear"]
PLAN = (
    [("cov_" + kind, kind, 1.0) for kind in COVERS for _ in range(3)]
    + [("partial50", kind, 0.5) for kind in ("hand", "paper", "sticker", "cloth", "finger", "tape_opaque")]
    + [("partial70", kind, 0.7) for kind in ("hand", "paper", "sticker", "cloth", "finger", "tape_opaque")]
    + [("partial90", kind, 0.9) for kind in ("hand", "paper", "sticker", "finger")]
    + [("partial30", kind, 0.3) for kind in ("paper", "finger")]
    + [("start_covered", kind, 1.0) for kind in ("finger", "hand", "tape_opaque", "sticker", "cap", "cloth", "paper", "shutter")]
    + [("cov_in_dim", kind, 1.0) for kind in ("hand", "cloth", "paper", "tape_trans", "cap")]
    + [("cov_eshutter", "eshutter", 1.0)] * 6
    + [(name, name, 0.0) for name in ("nl_frozen", "nl_loop", "nl_photo", "nl_avatar", "nl_black") for _ in range(3)]
    + [
        (name, name, 0.0)
        for name in (
            "neg_normal neg_dark neg_lightsoff neg_backlit neg_wave neg_object neg_leanin neg_bgblur neg_lowrate neg_exposure "
            "neg_flicker neg_af neg_still neg_shake"
        ).split()
        for _ in range(6)
    ]
)


def linear(rgb):
    return (rgb.astype(np.float32) / 255) ** 2.2


def read_footage(path, first, last, size):
    width, height = size
    # Coded clips of a set have 15 pictures a second already, and no times that ffmpeg could trust.
    rate = "" if path.endswith((".ivf", ".h264")) else f"fps={FPS},"
    scale = f"{rate}scale={width}:{height}:force_original_aspect_ratio=increase,crop={width}:{height}"
    command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", path, "-fps_mode", "passthrough", "-frames:v", "400", "-vf", scale,
               "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]  # fmt: skip
    data = np.frombuffer(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout, np.uint8)
    return data.reshape(-1, height, width, 3)[first : last or None]


def draw_face(number, size, frames):
    """A talking face before a room with a few edges."""
    rng = np.random.default_rng(1000 + number)
    width, height = size
    y, x = np.mgrid[0:height, 0:width] / height
    wall = rng.uniform(60, 210, 3)
    room = np.ones((height, width, 3)) * wall + (y[..., None] - 0.5) * rng.uniform(-60, 60, 3)
    for _ in range(rng.integers(2, 8)):
        left, top = rng.uniform(0, 1.7), rng.uniform(0, 0.8)
        inside = (x > left) & (x < left + rng.uniform(0.08, 0.5)) & (y > top) & (y < top + rng.uniform(0.1, 0.6))
        room[inside] = wall * rng.uniform(0.3, 1.4) + rng.uniform(-30, 30, 3)
    skin, hair, shirt = rng.uniform(110, 235) * np.array([1, 0.78, 0.66]), rng.uniform(10, 110, 3), rng.uniform(20, 220, 3)
    size_of, phase = rng.uniform(0.2, 0.42), rng.uniform(0, 6, 4)
    out = []
    for at in range(frames):
        cx, cy = 0.89 + 0.05 * np.sin(at * 0.13 + phase[0]) + 0.02 * np.sin(at * 0.4), 0.48 + 0.02 * np.sin(at * 0.21 + phase[1])
        within = lambda dx, dy, rx, ry: ((x - cx - dx * size_of) / (rx * size_of)) ** 2 + ((y - cy - dy * size_of) / (ry * size_of)) ** 2 < 1
        picture = room.copy()
        for place, colour in (((0, 1.9, 1.6, 0.95), shirt), ((0, -0.15, 0.85, 1.12), hair), ((0, 0.1, 0.7, 0.95), skin)):
            picture[within(*place)] = colour
        for eye in (-0.28, 0.28):
            picture[within(eye, -0.05, 0.13, 0.08)] = 240
            picture[within(eye + 0.03 * np.sin(at * 0.3), -0.05, 0.06, 0.06)] = [30, 20, 20]
            picture[within(eye, -0.24, 0.17, 0.03)] = hair
        picture[within(0, 0.2, 0.07, 0.14)] = skin * 0.85
        picture[within(0, 0.5, 0.28, 0.03 + 0.12 * abs(np.sin(at * 0.7 + phase[2])))] = [120, 40, 50]
        out.append(gaussian_filter(picture, (0.6, 0.6, 0)))
    return np.clip(out, 0, 255).astype(np.uint8)


# A loop is looked for in so many looks, which lie so far back; and so many pictures apart, in the mean, is not in step.
LOOKS, BACK, APART = 22, range(8, 106), 2.5


def wander(rng, count, length):
    """Frames of `count`, played to and fro."""
    at, pace, left, turns = float(rng.integers(0, count)), 1.0, 0, []
    for _ in range(length):
        if left <= 0:
            pace, left = rng.uniform(0.75, 1.3) * rng.choice([-1, 1, 1]) * np.sign(pace), rng.integers(12, 40)
        left -= 1
        if not 0 <= at + pace <= count - 1:
            pace = -pace
        at = min(max(at + pace, 0.0), count - 1.0)
        turns.append(int(round(at)))
    return turns


def nearest_to_a_loop(turns):
    """By how many pictures the nearest two stretches of LOOKS differ in the mean."""
    turns = np.array(turns[:220])
    off = (np.convolve(np.abs(turns[back:] - turns[:-back]), np.ones(LOOKS) / LOOKS, "valid").min() for back in BACK)
    return min(off)


def walk(rng, count, length=400):
    """A way through `count` frames on which no stretch comes back in step. Of short footage the best of many."""
    turns = wander(rng, count, length)
    others = rng.spawn(1)[0]
    for _ in range(300):
        if nearest_to_a_loop(turns) >= APART:
            break
        turns = max(turns, wander(others, count, length), key=nearest_to_a_loop)
    return turns


class Footage:
    """One piece of footage, mirrored, cropped and graded. It is played there and back again, each stretch at a pace of its own and
    turning where it likes, so that pictures come back but never in step: a loop is what nothing but `nl_loop` is to look like."""

    def __init__(self, rng, line, size, finer=1):
        """`finer`: how much finer the footage is kept than `size`, for what magnifies it."""
        self.size = size
        kept = (size[0] * finer, size[1] * finer)
        if line[0] == "drawn":
            frames = draw_face(int(line[1]), kept, 240)
        else:
            frames = read_footage(line[0], int(line[2]), int(line[3]), kept)
        self.frames = frames[:, :, ::-1] if rng.random() < 0.5 else frames
        self.walk = walk(rng, len(frames))
        self.tint = rng.uniform(0.8, 1.2, 3).astype(np.float32)
        self.zoom = rng.uniform(1.0, 1.3)
        self.at_zoom = rng.uniform(0.2, 0.8, 2)

        self.made = {}

    def frame(self, at):
        turn = self.walk[at]
        if turn not in self.made:
            self.made[turn] = crop(linear(self.frames[turn]), self.size, self.zoom, self.at_zoom) * self.tint
        return self.made[turn].copy()

    def closer(self, at, factor):
        """Magnified further, from the footage itself."""
        return crop(linear(self.frames[self.walk[at]]), self.size, self.zoom * factor, self.at_zoom) * self.tint


def blurred(picture, sigma):
    """Gaussian; wide ones at a quarter of the size."""
    if sigma < 6:
        return gaussian_filter(picture, (sigma, sigma, 0))
    height, width = picture.shape[:2]
    rows, columns = -(-height // 4), -(-width // 4)
    padded = np.pad(picture, ((0, rows * 4 - height), (0, columns * 4 - width), (0, 0)), mode="edge")
    small = gaussian_filter(padded.reshape(rows, 4, columns, 4, 3).mean((1, 3)), (sigma / 4, sigma / 4, 0))
    return zoom(small, (4, 4, 1), order=1, grid_mode=True, mode="nearest")[:height, :width]


def crop(picture, size, factor, centre):
    """A part of `picture`, magnified so much, as a picture of `size`."""
    width, height = size
    finer = picture.shape[0] / height
    if factor < 1.01 and finer == 1:
        return picture
    shrunk = finer / factor
    if shrunk > 1.2:
        picture = gaussian_filter(picture, (0.4 * shrunk, 0.4 * shrunk, 0))
    rows, columns = (
        np.clip(((np.arange(side) / factor + at * side * (1 - 1 / factor)) * finer).astype(int), 0, most - 1)
        for side, at, most in ((height, centre[1], picture.shape[0]), (width, centre[0], picture.shape[1]))
    )
    sigma = 0.3 / shrunk
    return gaussian_filter(picture[rows][:, columns], (sigma, sigma, 0))


def soft_noise(rng, size, scale):
    width, height = size
    small = rng.normal(0, 1, (max(2, int(height / scale)) + 2, max(2, int(width / scale)) + 2))
    out = zoom(small, (height / (small.shape[0] - 1), width / (small.shape[1] - 1)), order=3)
    return out[:height, :width].astype(np.float32)


class Occluder:
    COLOURS = {
        "finger": (0.25, 0.04, 0.02), "hand": (0.2, 0.11, 0.08), "tape_opaque": (0.02, 0.02, 0.02), "tape_trans": (0.3, 0.27, 0.22),
        "sticker": None, "cap": (0.0003, 0.0003, 0.0003), "cloth": None, "paper": (0.45, 0.43, 0.4), "shutter": (0.001, 0.001, 0.001),
    }

    def __init__(self, rng, kind, size, share):
        self.rng, self.kind, self.size = rng, kind, size
        width, height = size
        colour = self.COLOURS[kind]
        colour = np.array(colour if colour else rng.uniform(0.01, 0.35, 3)) * rng.uniform(0.25, 1.6) * rng.uniform(0.85, 1.15, 3)
        rough = {"hand": 0.3, "cloth": 0.15, "finger": 0.2, "paper": 0.06, "sticker": 0.05, "tape_opaque": 0.1}.get(kind, 0.03)
        texture = 1 + rough * soft_noise(rng, size, rng.uniform(0.08, 0.4) * height)
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        light = 1 + rng.uniform(0, 0.5) * ((x / width - 0.5) * rng.uniform(-1, 1) + (y / height - 0.5) * rng.uniform(-1, 1))
        self.body = (colour * np.clip(texture * light, 0.1, 3)[..., None]).astype(np.float32)
        self.through = {"tape_trans": rng.uniform(0.15, 0.45), "paper": rng.uniform(0, 0.06), "finger": rng.uniform(0.0, 0.05)}.get(kind, 0.0)
        self.blur = rng.uniform(0.07, 0.16) * height
        angle = rng.uniform(0, 2 * np.pi)
        along = (x - width / 2) / height * np.cos(angle) + (y - height / 2) / height * np.sin(angle)
        across = -(x - width / 2) / height * np.sin(angle) + (y - height / 2) / height * np.cos(angle)
        self.distance = along + rng.uniform(-0.25, 0.25) * across**2
        self.soft = rng.uniform(0.003, 0.02) if kind == "shutter" else rng.uniform(0.02, 0.12)
        ordered = np.sort(self.distance.ravel())
        self.empty = ordered[0] - 3 * self.soft
        self.full = ordered[-1] + 3 * self.soft if share >= 1 else ordered[int(share * (len(ordered) - 1))]
        self.sway = rng.uniform(0, 0.012)

    def over(self, picture, part, at):
        """`part` 0: away, 1: in place."""
        if part <= 0:
            return picture
        edge = self.empty + (self.full - self.empty) * part + self.sway * np.sin(at * 0.7)
        mask = 1 / (1 + np.exp(np.clip((self.distance - edge) / (self.soft / 2), -30, 30)))
        behind = self.body * picture.mean() / 0.15
        if self.through:
            glow = blurred(picture, self.blur)
            behind = behind * (0.7 + 0.3 * self.through) + self.through * glow * (self.body / self.body.mean() if self.kind == "finger" else 1)
        return picture * (1 - mask[..., None]) + behind * mask[..., None]


class Sensor:
    def __init__(self, rng, light=1.0):
        self.rng, self.gain, self.light, self.fields = rng, None, light, None
        self.target, self.speed = rng.uniform(0.12, 0.22), rng.uniform(0.04, 0.2)
        self.most = rng.uniform(6, 30)
        self.noise = rng.uniform(0.002, 0.006)
        self.grain = rng.uniform(0.3, 0.8)

    def shoot(self, scene, jump=1.0):
        scene = scene * self.light
        wanted = np.clip(self.target / (scene.mean() + 1e-5), 0.2, self.most)
        self.gain = wanted if self.gain is None else self.gain * (wanted / self.gain) ** self.speed
        gain = self.gain * jump
        amount = np.sqrt(np.maximum(scene, 0) * self.noise * 0.03 + (self.noise * 0.25) ** 2) * gain
        if self.fields is None:
            fields = self.rng.normal(0, 1, (12, *scene.shape)).astype(np.float32)
            self.fields = gaussian_filter(fields, (0, self.grain, self.grain, 0)) / max(self.grain * 1.6, 0.6)
        shift = tuple(self.rng.integers(0, side) for side in scene.shape[:2])
        grain = np.roll(self.fields[self.rng.integers(0, len(self.fields))], shift, (0, 1))
        value = np.clip(scene * gain + amount * grain, 0, 1)
        return np.rint(255 * value ** (1 / 2.2)).astype(np.uint8)


def shares(start, arrive, stay, leave, frames):
    """How far a cover is in place at each frame: 0 before, rising to 1, and back."""
    at = np.arange(frames)
    return np.clip(np.minimum((at - start + 1) / arrive, (start + arrive + stay + leave - at) / leave), 0, 1)


def symbol(rng, size, avatar):
    """What a laptop shows instead of its camera, or a page instead of a person."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width] / height
    ground = rng.uniform(0, 230, 3) if avatar else np.ones(3) * rng.choice([0, 8, 20, 40, 90, 128])
    picture = np.ones((height, width, 3)) * ground
    cx, cy, r = width / height / 2, 0.5, rng.uniform(0.1, 0.25)
    ink = np.clip(ground + rng.choice([-1, 1]) * rng.uniform(60, 200, 3), 0, 255) if avatar else np.clip(ground + rng.uniform(50, 220), 0, 255)
    style = rng.integers(0, 4)
    if avatar or style == 0:
        picture[(x - cx) ** 2 + (y - cy) ** 2 < r * r] = ink
        if avatar:
            picture[(abs(x - cx) < r * 0.15) & (abs(y - cy) < r * 0.55)] = ground
    elif style in (1, 2):
        frame = (abs(x - cx) < r) & (abs(y - cy) < r * 0.7)
        picture[frame & ~((abs(x - cx) < r * 0.88) & (abs(y - cy) < r * 0.58))] = ink
        picture[(abs((x - cx) - (y - cy) * rng.choice([-1, 1])) < 0.012) & (abs(x - cx) < r * 1.2)] = ink
    return picture.astype(np.uint8)


def scene_of(rng, category, size, base, other, frames):
    """Yields linear pictures of look-alikes, and what the sensor does besides."""
    when = int(rng.integers(30, 70))
    lasts = int(rng.integers(25, 70))
    hand = Occluder(rng, "hand", size, rng.uniform(0.35, 0.75))
    hand.soft = rng.uniform(0.02, 0.06)
    dark, period = rng.uniform(0.03, 0.15), rng.uniform(2.1, 6.5)
    depth, burst = rng.uniform(0.15, 0.5), rng.uniform(0.25, 4)
    closer, drift = rng.uniform(2.2, 3.3), np.zeros(2)
    box = rng.uniform(0.55, 0.9), rng.uniform(0.6, 1.0), rng.uniform(0.3, 0.6, 2)
    still = base.frame(0)
    for at in range(frames):
        part = float(np.clip(min((at - when) / 8, (when + lasts - at) / 8), 0, 1))
        picture, jump = base.frame(at), 1.0
        if category == "neg_lightsoff" and when <= at < when + lasts:
            picture = picture * dark
        elif category == "neg_backlit":
            glow = gaussian_filter(np.pad(np.ones((3, 3)), 20), 6)
            glow = zoom(glow, (size[1] / 43, size[0] / 43), order=1)[: size[1], : size[0]]
            glow = glow / glow.max()
            picture = picture * 0.5 + 0.6 * np.pad(glow, ((0, size[1] - glow.shape[0]), (0, size[0] - glow.shape[1])))[..., None]
        elif category == "neg_wave":
            swing = (at - when) % int(6 + period * 3)
            picture = hand.over(picture, max(0.0, 1 - abs(swing - 5) / 4) if when <= at < when + lasts else 0.0, at)
        elif category == "neg_object" and part > 0:
            thing = other.frame(when)
            top = int(size[1] * (1 - part * box[1]))
            left = int(size[0] * (1 - box[0]) * box[2][0])
            wide = int(size[0] * box[0])
            picture[top:, left : left + wide] = thing[: size[1] - top, :wide]
        elif category == "neg_leanin":
            # As in the set: nearer for two seconds, and back in as many.
            near = np.sin(np.pi * np.clip((at - when) / (lasts + 30), 0, 1)) ** 2
            picture = gaussian_filter(base.closer(at, 1 + (closer - 1) * near), (0.5 * near, 0.5 * near, 0))
        elif category == "neg_bgblur":
            y, x = np.mgrid[0 : size[1], 0 : size[0]] / size[1]
            person = np.clip(1.5 - ((x - size[0] / size[1] / 2) / 0.45) ** 2 - ((y - 0.6) / 0.6) ** 2, 0, 1)[..., None]
            soft = blurred(picture, 0.04 * size[1])
            picture = person * picture + (1 - person) * soft
        elif category == "neg_exposure" and (at - when) % 50 < 12 and at >= when:
            jump = burst
        elif category == "neg_flicker":
            picture = picture * (1 + depth * np.sin(2 * np.pi * at / period + np.arange(size[1]) / size[1] * 2)[:, None, None])
        elif category == "neg_af":
            blur = 0.02 * size[1] * max(0.0, 1 - abs((at - when) % 45 - 6) / 6) if at >= when else 0.0
            picture = blurred(picture, blur) if blur else picture
        elif category == "neg_still":
            picture = still * (1 + 0.01 * np.sin(at * 0.2)) if at % 40 < 30 else picture
        elif category == "neg_shake" and when <= at < when + lasts:
            drift = 0.5 * drift + rng.normal(0, 0.02 * size[1], 2)
            picture = np.roll(picture, drift.astype(int), (0, 1))
            picture = gaussian_filter(picture, (0.006 * size[1], 0.006 * size[1], 0))
        yield picture, jump


def compose(rng, category, kind, share, size, base, other, moved=False):
    """Pictures and events of one clip."""
    frames = int(rng.integers(140, 220))
    sensor = Sensor(rng, rng.uniform(0.02, 0.06) if category in ("neg_dark", "cov_in_dim") else rng.uniform(0.6, 1.5))
    if category.startswith("neg_"):
        return [sensor.shoot(*shot) for shot in scene_of(rng, category, size, base, other, frames)], []
    start, stay = int(rng.integers(30, 75)), int(rng.integers(35, 75))
    arrive, leave = int(rng.integers(1, 9)), int(rng.integers(1, 9))
    if kind == "eshutter" or category.startswith("nl_"):
        arrive = leave = 1
        stay = max(stay, 90) if category in ("nl_frozen", "nl_loop", "nl_photo") else stay
        frames = max(frames, start + stay + 30)
    part = shares(start, arrive, stay, leave, frames)
    if category == "start_covered":
        part[: start + arrive] = 1
        start, arrive = 0, 1
        part[:] = np.where(np.arange(frames) < stay + 30, 1, part * 0)
        gone = stay + 30
        for step in range(leave):
            part[gone + step] = 1 - (step + 1) / leave
        event = dict(onset=0, start=0, end=gone, gone=gone + leave - 1 if leave > 1 else gone)
    else:
        onset = int(np.argmax(part > 0))
        full = np.flatnonzero(part >= 1)
        after = np.flatnonzero(part > 0)[-1] + 1
        event = dict(onset=onset, start=int(full[0]), end=int(full[-1]) + 1, gone=int(after))
    cls = "notlive" if category.startswith("nl_") else "covered" if share >= 0.85 else "partial"
    event.update(cls=cls, kind=kind, cov=share)
    if category == "start_covered":
        event["start"] = 0
    cover = None if kind in ("eshutter", "smear") or cls == "notlive" else Occluder(rng, kind, size, share)
    card = symbol(rng, size, category == "nl_avatar") if kind != "nl_black" else np.full((size[1], size[0], 3), rng.integers(0, 30), np.uint8)
    photo, haze, smear = base.frame(0), rng.uniform(0.35, 0.65), rng.uniform(0.05, 0.1) * size[1]
    period, shots = int(rng.integers(15, 45)), []
    for at in range(frames):
        picture = base.frame(at)
        if part[at] > 0 and category == "nl_photo":
            picture = np.roll(photo, (int(2 * np.sin(at * 0.13)), int(3 * np.sin(at * 0.09))), (0, 1)) if moved else photo
        elif kind == "smear" and part[at] > 0:
            blur = smear * part[at]
            picture = blurred(picture, blur) * (1 - haze) + haze * picture.mean()
        elif cover:
            picture = cover.over(picture, part[at], at)
        shot = sensor.shoot(picture)
        if part[at] > 0 and kind in ("eshutter", "nl_avatar", "nl_black"):
            shot = card
        elif part[at] > 0 and kind == "nl_frozen":
            shot = shots[start - 1]
        elif part[at] > 0 and kind == "nl_loop" and at >= start + period:
            shot = shots[at - period]
        shots.append(shot)
    return shots, [event]


def encode(path, shots, size, codec, kbps):
    args = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", f"{kbps}k", "-minrate", f"{kbps}k", "-maxrate",
            f"{kbps}k", "-bufsize", f"{kbps}k", "-g", "300", "-lag-in-frames", "0"]  # fmt: skip
    if codec == "h264":
        args = ["-c:v", "libx264", "-profile:v", "baseline", "-preset", "veryfast", "-tune", "zerolatency", "-b:v", f"{kbps}k",
                "-maxrate", f"{kbps}k", "-bufsize", f"{kbps // 2}k", "-g", "300", "-slices", "1", "-threads", "1"]  # fmt: skip
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-r", str(FPS), "-i", "-",
               "-pix_fmt", "yuv420p", *args, "-threads", "1", path]  # fmt: skip
    subprocess.run(command, input=b"".join(shot.tobytes() for shot in shots), check=True)


def main():
    given = dict(zip(sys.argv[3::2], sys.argv[4::2]))
    footage, out = [line.split() for line in open(sys.argv[1]) if line.strip()], sys.argv[2]
    seed, count = int(given.get("--seed", 1)), int(given.get("--clips", len(PLAN)))
    moved, only = given.get("--photos") == "moved", given.get("--only", "").split(",")
    os.makedirs(out, exist_ok=True)
    order = np.random.default_rng(seed).permutation(len(PLAN))
    labels = []
    for number in range(count):
        category, kind, share = PLAN[order[number % len(PLAN)]]
        if only != [""] and category not in only:
            continue
        rng = np.random.default_rng([seed, number])
        size = SIZES[rng.integers(0, len(SIZES))]
        line, another = (footage[i] for i in rng.choice(len(footage), 2, replace=False))
        widest = int(line[4]) if len(line) > 4 else size[0]
        size = size if size[0] <= widest else SIZES[0]
        person = f"drawn{line[1]}" if line[0] == "drawn" else line[1]
        codec = "vp8" if rng.random() < 0.55 else "h264"
        kbps = int(np.exp(rng.uniform(np.log(120), np.log(1200))) * (size[0] / 480) ** 0.7)
        if category == "neg_lowrate":
            kbps = int(rng.integers(45, 120))
        clip = f"own_{number:04d}"
        finer = 2 if category == "neg_leanin" else 1
        file = f"{clip}.{'ivf' if codec == 'vp8' else 'h264'}"
        shots, events = compose(rng, category, kind, share, size, Footage(rng, line, size, finer), Footage(rng, another, size), moved)
        encode(f"{out}/{file}", shots, size, codec, kbps)
        labels.append(dict(clip=clip, file=file, codec=codec, width=size[0], height=size[1], fps=FPS, frames=len(shots), kbps=kbps,
                           category=category, kind=kind, source=person, events=events, maxcov=share))  # fmt: skip
        print(clip, category, kind, person, size, codec, kbps, flush=True)
        json.dump(labels, open(f"{out}/labels.json", "w"))


if __name__ == "__main__":
    main()
