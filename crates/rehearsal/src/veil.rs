//! From the start of a cover in front of A's camera to the first veiled picture of B on A's page: the time for which somebody who
//! covered their camera still sees the other clearly. Measured on A's page alone, with one clock.

use crate::webdriver::DriverError;
use crate::window::AppWindow;
use serde_json::{Value, json};
use std::time::Duration;

/// Covers the camera, then reads the picture of the peer on each repaint until its inside is flat in nearly all blocks of the
/// veil. Gives milliseconds, or null after six seconds. Sees what is decoded once it is drawn, a repaint later.
const COVER: &str = r#"
const canvas = document.querySelector('[data-testid="picture-peer"]');
const flat = () => {
  const { width, height } = canvas;
  const pixels = canvas.getContext('2d', { willReadFrequently: true }).getImageData(0, 0, width, height).data;
  const level = (x, y) => pixels[4 * (Math.floor(y) * width + Math.floor(x)) + 1];
  let calm = 0;
  for (let row = 2; row < 18; row++) for (let column = 0; column < 32; column++) {
    let least = 255, most = 0;
    for (const [x, y] of [[.3, .3], [.7, .3], [.5, .5], [.3, .7], [.7, .7]]) {
      const value = level((column + x) * width / 32, (row + y) * height / 18);
      least = Math.min(least, value); most = Math.max(most, value);
    }
    if (most - least <= 6) calm++;
  }
  return calm / (16 * 32);
};
if (flat() > 0.9) return -1;
const begun = performance.now();
await window.__TAURI_INTERNALS__.invoke('act', { command: { do: 'rehearse_camera', modifier: 'covered' } });
return await new Promise(done => {
  const look = () => {
    const waited = performance.now() - begun;
    if (flat() > 0.9) done(waited);
    else if (waited > 6000) done(null);
    else requestAnimationFrame(look);
  };
  look();
});
"#;

#[derive(Debug, thiserror::Error)]
pub enum VeilError {
    #[error("{0}")]
    Driver(#[from] DriverError),
    #[error("cover {0}: the peer's picture looked veiled before it began; A's page says: {1}")]
    NotClear(u32, String),
    #[error("cover {0}: the peer's picture was still clear after six seconds")]
    NeverVeiled(u32),
}

/// Milliseconds of each cover. Both windows must see each other clearly; the pause between covers is given by the caller, so that
/// covers do not fall into step with anything.
pub async fn covers(a: &AppWindow, count: u32, mut pause: impl FnMut() -> Duration) -> Result<Vec<f64>, VeilError> {
    let mut taken = Vec::new();
    for cover in 1..=count {
        tokio::time::sleep(pause()).await;
        match a.driver.script_async(COVER, json!([])).await? {
            Value::Null => return Err(VeilError::NeverVeiled(cover)),
            value => match value.as_f64() {
                Some(milliseconds) if milliseconds >= 0.0 => taken.push(milliseconds),
                _ => {
                    let says = a.driver.script("return document.body.innerText", json!([])).await?;
                    return Err(VeilError::NotClear(cover, says.as_str().unwrap_or_default().replace('\n', " | ")));
                }
            },
        }
        tokio::time::sleep(Duration::from_millis(600)).await;
        a.act(json!({ "do": "rehearse_camera", "modifier": "none" })).await?;
        a.is_mosaic("picture-peer", false).await?;
    }
    Ok(taken)
}
