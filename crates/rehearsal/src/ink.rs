//! How fast ink crosses between two windows, measured where people see it: pointer events on one page, pixels on the other.
//! Both pages read the same machine's clock. Prints nothing and judges nothing.

use crate::webdriver::DriverError;
use crate::window::AppWindow;
use serde_json::{Value, json};
use std::time::Duration;

/// One stroke after another, from the left to the right, a pointer event each 16 ms; keeps when each place was reached.
const DRAW: &str = r#"
const [strokes, events] = arguments;
const canvas = document.querySelector('[data-testid=paper-top]');
const box = canvas.getBoundingClientRect();
const step = box.width * 0.8 / events;
const log = [], frames = [];
let last = 0, going = true;
const frame = now => { if (last) frames.push(now - last); last = now; if (going) requestAnimationFrame(frame); };
requestAnimationFrame(frame);
const send = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, { pointerId: 1, pointerType: 'mouse', isPrimary: true, bubbles: true,
  button: 0, buttons: type === 'pointerup' ? 0 : 1, clientX: box.left + x, clientY: box.top + y, pressure: 0.5 }));
canvas.setPointerCapture = () => undefined;
const wait = ms => new Promise(done => setTimeout(done, ms));
for (let stroke = 0; stroke < strokes; stroke++) {
  const y = box.height * (0.1 + 0.8 * (stroke + 0.5) / strokes);
  send('pointerdown', box.width * 0.1, y);
  for (let event = 1; event <= events; event++) {
    await wait(16);
    const x = box.width * 0.1 + step * event;
    send('pointermove', x, y);
    log.push([stroke, x / box.width, Date.now()]);
  }
  send('pointerup', box.width * 0.9, y);
  await wait(200);
}
going = false;
return { log, frames };
"#;

/// After each frame, how far ink has come in the row of each stroke, on any of the sheet's layers; kept in `window.__ink`. What a frame
/// draws is looked for once the frame is over: a callback of the next one would see it a frame too late.
const WATCH: &str = r#"
const [strokes] = arguments;
const layers = ['paper', 'paper-wet', 'paper-top'].map(id => document.querySelector(`[data-testid=${id}]`));
const seen = window.__ink = [];
const reached = Array(strokes).fill(0);
let current = 0;
const look = () => {
  const now = Date.now();
  for (let stroke = current; stroke < Math.min(strokes, current + 2); stroke++) {
    const { width, height } = layers[0];
    const y = Math.round(height * (0.1 + 0.8 * (stroke + 0.5) / strokes));
    let far = -1;
    for (const layer of layers) {
      const { data } = layer.getContext('2d').getImageData(0, y, width, 1);
      for (let x = width - 1; x > far; x--) if (data[4 * x + 3] > 100 && data[4 * x] > 200 && data[4 * x + 1] < 60) { far = x; break; }
    }
    if (far / width > reached[stroke]) {
      reached[stroke] = far / width;
      seen.push([stroke, far / width, now]);
      if (stroke > current) current = stroke;
    }
  }
};
const { port1, port2 } = new MessageChannel();
port1.onmessage = look;
const frame = () => {
  port2.postMessage(null);
  if (seen.length < 100000) requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
return true;
"#;

#[derive(Debug, Default)]
pub struct Measured {
    /// From a pointer event on one page to ink at its place on the other, milliseconds.
    pub latency: Vec<f64>,
    /// Events whose place was never reached.
    pub lost: usize,
    /// Between two frames of the drawing page, milliseconds.
    pub frames: Vec<f64>,
}

type Reached = (usize, f64, f64);

/// Puts so many short strokes on the paper, as fast as the other side takes them.
pub async fn litter(window: &AppWindow, strokes: u32) -> Result<(), DriverError> {
    for stroke in 0..strokes {
        let at = |index: u32| json!({ "x": (stroke * 83 + index * 60) % 16_000, "y": 200 + (stroke * 37 + index * 90) % 9600, "pressure": 128 });
        let points: Vec<Value> = (0..30).map(at).collect();
        let id = 1_000_000_000 + stroke;
        window.act(json!({ "do": "draw_points", "id": id, "colour": 0x2d_4b_8c, "size": 40, "points": points })).await?;
        window.act(json!({ "do": "draw_end", "id": id })).await?;
    }
    Ok(())
}

pub async fn measure(from: &AppWindow, to: &AppWindow, strokes: usize, events: usize) -> Result<Measured, DriverError> {
    // Pure red, which nothing else on the bench's paper is, chosen as a user would.
    let choose = "const input = document.querySelector('[data-testid=free-colour]'); input.value = '#ff0000'; \
                  input.dispatchEvent(new Event('input', { bubbles: true })); return true;";
    from.driver.script(choose, json!([])).await?;
    to.driver.script(WATCH, json!([strokes])).await?;
    let drawn = from.driver.script_async(DRAW, json!([strokes, events])).await?;
    // The last ink may still be on its way.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let seen: Vec<Reached> = read(to.driver.script("return window.__ink", json!([])).await?);
    let log: Vec<Reached> = read(drawn["log"].clone());
    let mut measured = Measured { frames: read(drawn["frames"].clone()), ..Measured::default() };
    for (stroke, place, at) in log {
        // Ink is as wide as a brush: half a hundredth of the sheet counts as there.
        let there = seen.iter().find(|(of, reached, _)| *of == stroke && *reached >= place - 0.002);
        match there {
            Some((_, _, when)) => measured.latency.push(when - at),
            None => measured.lost += 1,
        }
    }
    Ok(measured)
}

fn read<T: serde::de::DeserializeOwned + Default>(value: Value) -> T {
    serde_json::from_value(value).unwrap_or_default()
}
