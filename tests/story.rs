//! An evening in two real app windows on a virtual display, driven through WebDriver: sign in, mirror, match, reveal, draw,
//! play, cover, uncover, leave, follow. What the pages show is read from their pixels and their text, nothing from inside the app.

use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use visavis_rehearsal::display::Display;
use visavis_rehearsal::game_story;
use visavis_rehearsal::stage::Stage;
use visavis_rehearsal::window::{AppWindow, PATIENCE, Start};

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// `visavis-bot`, built next to the app by the same workspace build.
fn bot() -> PathBuf {
    let app = Path::new(env!("CARGO_BIN_EXE_visavis"));
    app.with_file_name(format!("visavis-bot{}", std::env::consts::EXE_SUFFIX))
}

async fn open(
    stage: &Stage,
    display: &Display,
    (name, camera): (&str, &str),
    position: (u32, u32),
) -> Result<AppWindow, Box<dyn std::error::Error + Send + Sync>> {
    let window = AppWindow::open(Start {
        binary: Path::new(env!("CARGO_BIN_EXE_visavis")),
        name,
        profile_folder: &stage.profile_folder(name),
        server: &stage.url,
        camera,
        display: &display.name,
        browser: &bot(),
        position,
        size: (1280, 800),
    })
    .await?;
    Ok(window)
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evening_in_two_windows() -> Outcome {
    const { assert!(cfg!(feature = "embed-ui"), "run with --features embed-ui: the pages must be inside the binary") };
    let display = Display::start(2600, 860)?;
    let stage = Stage::start().await?;
    // Two different cameras, so that pixels tell whose picture it is.
    let (a, b) = tokio::try_join!(
        open(&stage, &display, ("ada", "pattern"), (0, 0)),
        open(&stage, &display, ("bao", "face:bao"), (1300, 0))
    )?;
    let outcome = evening(&a, &b, &display).await;
    if outcome.is_err() {
        screenshot(&display, "failed");
    }
    a.driver.quit().await;
    b.driver.quit().await;
    stage.server.shutdown().await;
    outcome
}

/// For whoever reads a failure; the story itself does not depend on it.
fn screenshot(display: &Display, name: &str) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("story");
    let taken = std::fs::create_dir_all(&folder).map_err(|error| error.to_string());
    let taken = taken.and_then(|()| display.screenshot(&folder.join(format!("{name}.png"))).map_err(|error| error.to_string()));
    if let Err(error) = taken {
        eprintln!("no screenshot: {error}");
    }
}

async fn evening(a: &AppWindow, b: &AppWindow, display: &Display) -> Outcome {
    sign_in_and_match(a, b).await?;
    both_begin_veiled(a, b).await?;
    screenshot(display, "veiled");
    reveal_is_blind(a, b).await?;
    a_stroke_crosses(a, b).await?;
    screenshot(display, "revealed");
    game_story::two_truths(a, b, &mut async |what: &str| {
        screenshot(display, &format!("game-{what}"));
        Ok(())
    })
    .await?;
    a_stroke_crosses_again(a, b).await?;
    a_covered_camera_veils_the_other(a, b, display).await?;
    leave_and_follow(a, b).await?;
    screenshot(display, "friends");
    Ok(())
}

async fn sign_in_and_match(a: &AppWindow, b: &AppWindow) -> Outcome {
    for window in [a, b] {
        window.page("welcome").await?;
        window.press("sign-in").await?;
    }
    for window in [a, b] {
        window.page("mirror").await?;
        window.moves("picture-own").await?;
        window.is_mosaic("picture-own", false).await?;
        window.press("meet").await?;
    }
    for window in [a, b] {
        window.page("match").await?;
        let reason = window.text("match-reason").await?;
        assert!(reason.trim().len() > 5, "the reason is a sentence: {reason:?}");
        window.press("match-meet").await?;
    }
    let since = Instant::now();
    for window in [a, b] {
        window.page("call").await?;
    }
    a.moves("picture-peer").await?;
    println!("from the match to moving pictures on the page of A: {:.2} s", since.elapsed().as_secs_f32());
    b.moves("picture-peer").await?;
    Ok(())
}

async fn both_begin_veiled(a: &AppWindow, b: &AppWindow) -> Outcome {
    for window in [a, b] {
        window.is_mosaic("picture-peer", true).await?;
        window.is_mosaic("picture-own", true).await?;
        window.says("you-see", "veiled").await?;
        window.says("they-see", "veiled").await?;
    }
    each_sees_the_other(a, b).await
}

async fn each_sees_the_other(a: &AppWindow, b: &AppWindow) -> Outcome {
    a.shows(b).await?;
    b.shows(a).await?;
    Ok(())
}

async fn reveal_is_blind(a: &AppWindow, b: &AppWindow) -> Outcome {
    a.press("reveal").await?;
    // One yes opens nothing: longer than the gate would wait, on both pages.
    b.stays_mosaic("picture-peer", Duration::from_secs(1)).await?;
    a.stays_mosaic("picture-peer", Duration::from_millis(500)).await?;
    for window in [a, b] {
        window.says("you-see", "veiled").await?;
        window.says("they-see", "veiled").await?;
    }
    b.press("reveal").await?;
    for window in [a, b] {
        window.is_mosaic("picture-peer", false).await?;
        window.is_mosaic("picture-own", false).await?;
        window.says("you-see", "clear").await?;
        window.says("they-see", "clear").await?;
    }
    each_sees_the_other(a, b).await
}

/// Share of pixels on the paper that are neither paper nor transparent, in thousandths, over all layers of the canvas.
const INK: &str = r#"
let ink = 0, all = 0;
for (const canvas of document.querySelectorAll('[data-testid="paper"] canvas, canvas[data-testid="paper"]')) {
  const { width, height } = canvas;
  if (!width || !height) continue;
  const pixels = canvas.getContext('2d').getImageData(0, 0, width, height).data;
  for (let at = 0; at < pixels.length; at += 4) {
    all++;
    if (pixels[at + 3] > 100 && pixels[at] + pixels[at + 1] + pixels[at + 2] < 450) ink++;
  }
}
const share = all ? 1000 * ink / all : 0;
"#;

async fn a_stroke_crosses(a: &AppWindow, b: &AppWindow) -> Outcome {
    let none = format!("{INK} return share === 0 ? true : null;");
    let some = format!("{INK} return share > 0.2 ? share : null;");
    b.driver.until("an empty paper in B", PATIENCE, &none, json!([])).await?;
    let place = "const box = document.querySelector('[data-testid=\"paper\"]').getBoundingClientRect(); \
                 return [box.left + box.width * 0.3, box.top + box.height * 0.4, box.width];";
    let place = a.driver.script(place, json!([])).await?;
    let at = |index: usize| place[index].as_f64().unwrap_or_default() as i32;
    let points: Vec<(i32, i32)> = (0..24).map(|step| (at(0) + step * at(2) / 80, at(1) + (step % 6) * 6)).collect();
    a.driver.drag(&points).await?;
    a.driver.until("the stroke on A's own paper", PATIENCE, &some, json!([])).await?;
    b.driver.until("A's stroke on B's paper", PATIENCE, &some, json!([])).await?;
    a.press("undo").await?;
    b.driver.until("A's stroke taken back on B's paper", PATIENCE, &none, json!([])).await?;
    a.press("redo").await?;
    b.driver.until("A's stroke back on B's paper", PATIENCE, &some, json!([])).await?;
    Ok(())
}

/// After a game the paper is free, and what was on it before is still there.
async fn a_stroke_crosses_again(a: &AppWindow, b: &AppWindow) -> Outcome {
    let some = format!("{INK} return share > 0.2 ? share : null;");
    let none = format!("{INK} return share === 0 ? true : null;");
    for window in [a, b] {
        window.driver.until("the stroke from before the game", PATIENCE, &some, json!([])).await?;
    }
    a.press("undo").await?;
    b.driver.until("A's stroke taken back after the game", PATIENCE, &none, json!([])).await?;
    a.press("redo").await?;
    b.driver.until("A's stroke back after the game", PATIENCE, &some, json!([])).await?;
    Ok(())
}

async fn a_covered_camera_veils_the_other(a: &AppWindow, b: &AppWindow, display: &Display) -> Outcome {
    assert!(!b.is_there("warning-peer").await?, "no warning before there is a reason");
    a.act(json!({ "do": "rehearse_camera", "modifier": "covered" })).await?;
    // B reads what it could be and what it means for B's own picture, A that it is so, kindly; each beside a sign.
    let said = "const at = document.querySelector(`[data-testid=\"${arguments[0]}\"]`); \
                return !!at && at.dataset.sign === 'covered' && !!at.querySelector('svg') \
                    && arguments[1].every(part => at.innerText.includes(part));";
    let spoken = "return [...document.querySelectorAll('[aria-live]')].some(at => at.textContent.includes(arguments[0]));";
    for (window, testid, parts) in [
        (b, "warning-peer", ["Their camera looks covered, perhaps by a finger", "You are veiled until you can see them"]),
        (a, "warning-own", ["You look covered to them. Is there a finger", "They stay veiled until they can see you"]),
    ] {
        window.driver.until(&format!("{testid} to say {parts:?}"), PATIENCE, said, json!([testid, parts])).await?;
        window.driver.until(&format!("a screen reader to hear {:?}", parts[0]), PATIENCE, spoken, json!([parts[0]])).await?;
    }
    // What B sends is a mosaic again, in the pixels that A decodes.
    a.is_mosaic("picture-peer", true).await?;
    a.says("you-see", "veiled").await?;
    b.says("they-see", "veiled").await?;
    screenshot(display, "covered");
    a.act(json!({ "do": "rehearse_camera", "modifier": "none" })).await?;
    for window in [a, b] {
        window.is_mosaic("picture-peer", false).await?;
        window.says("you-see", "clear").await?;
        window.says("they-see", "clear").await?;
        window.moves("picture-peer").await?;
    }
    assert!(!b.is_there("warning-peer").await?, "the warning goes when its reason goes");
    Ok(())
}

async fn leave_and_follow(a: &AppWindow, b: &AppWindow) -> Outcome {
    b.press("leave").await?;
    for window in [a, b] {
        window.page("parting").await?;
        window.press("follow-yes").await?;
    }
    for (window, friend) in [(a, "bao"), (b, "ada")] {
        window.press("open-friends").await?;
        window.page("friends").await?;
        window.says("friend-name", friend).await?;
    }
    Ok(())
}
