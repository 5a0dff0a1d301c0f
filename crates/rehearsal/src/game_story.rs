//! One game in two windows, from a wish that nobody sees to the same game again, done as people do it: buttons are pressed, sentences
//! typed, and what the pages show is all that is known. `look` is called at each thing worth seeing.

use crate::webdriver::DriverError;
use crate::window::{AppWindow, PATIENCE};
use serde_json::json;
use std::time::Duration;

/// Longer than a wish that were told would need to arrive.
const TOLD_WITHIN: Duration = Duration::from_millis(1500);

type Told = Result<(), DriverError>;

/// Two truths, both rounds, and a rematch that is broken off. Both windows are in a call.
pub async fn two_truths(a: &AppWindow, b: &AppWindow, look: &mut impl AsyncFnMut(&str) -> Told) -> Told {
    wish(a, "two_truths").await?;
    a.press("games").await?;
    a.text("wished").await?;
    look("wished").await?;
    a.press("close-choose").await?;
    a.says("wish-stands", "Two truths").await?;
    nothing_is_told(b).await?;
    // Another wish is no yes to this one, and tells nothing either.
    wish(b, "gomoku").await?;
    nothing_is_told(a).await?;
    wish(b, "two_truths").await?;
    for window in [a, b] {
        window.says("rules", "two truths and one lie").await?;
    }
    look("rules").await?;
    a.press("ready").await?;
    b.says("rules", "ready when you are").await?;
    b.press("ready").await?;
    let told_first = round(a, b, 1, look).await?;
    for window in [a, b] {
        window.press("ready").await?;
    }
    let told_second = round(a, b, 2, look).await?;
    if told_first == told_second {
        return Err(otherwise("both of them to tell once", &format!("{told_first} told twice")));
    }
    rematch(a, b, look).await
}

async fn wish(window: &AppWindow, game: &str) -> Told {
    window.press("games").await?;
    window.press(&format!("game-{game}")).await?;
    window.press("wish").await?;
    let closed = "return !document.querySelector('[data-testid=choose]');";
    window.driver.until(&format!("the choice to close in window {}", window.name), PATIENCE, closed, json!([])).await.map(drop)
}

/// The window shows no game and no word of a wish for as long as it could take to arrive.
async fn nothing_is_told(window: &AppWindow) -> Told {
    tokio::time::sleep(TOLD_WITHIN).await;
    for told in ["game-panel", "rules", "over"] {
        if window.is_there(told).await? {
            return Err(otherwise("a wish to stay untold", &format!("{told} in window {}", window.name)));
        }
    }
    Ok(())
}

/// Returns who told.
async fn round(
    a: &AppWindow,
    b: &AppWindow,
    number: u8,
    look: &mut impl AsyncFnMut(&str) -> Told,
) -> Result<String, DriverError> {
    for window in [a, b] {
        window.says("game-panel", &format!("{number}/2")).await?;
    }
    let (teller, other) = if a.is_there("writing").await? { (a, b) } else { (b, a) };
    let statements = ["I once slept on a roof", "I can name forty cheeses", "I was born on a ferry"];
    for (place, statement) in statements.iter().enumerate() {
        teller.fill(&format!("statement-{place}"), statement).await?;
    }
    teller.press("lie-1").await?;
    look(&format!("writing-{number}")).await?;
    teller.press("send-statements").await?;
    for (place, statement) in statements.iter().enumerate() {
        other.says(&format!("card-{place}"), statement).await?;
    }
    let open = other.driver.script("return !!document.querySelector('.statement.lie')", json!([])).await?;
    if open.as_bool() != Some(false) {
        return Err(otherwise("the lie to stay hidden until the pick", &open.to_string()));
    }
    look(&format!("cards-{number}")).await?;
    // Found in the first round, missed in the second.
    other.press(if number == 1 { "card-1" } else { "card-2" }).await?;
    let (found, believed) = if number == 1 { ("You found it", "They found") } else { ("That one is true", "They believed you") };
    other.says("over", found).await?;
    teller.says("over", believed).await?;
    for window in [a, b] {
        window.says("card-1", "not true").await?;
    }
    look(&format!("over-{number}")).await?;
    Ok(teller.name.clone())
}

/// The same again is a wish like any other; back to the paper is for both at once.
async fn rematch(a: &AppWindow, b: &AppWindow, look: &mut impl AsyncFnMut(&str) -> Told) -> Told {
    b.text("again").await?;
    a.press("again").await?;
    a.text("again-wished").await?;
    tokio::time::sleep(TOLD_WITHIN).await;
    if !b.is_there("again").await? {
        let shown = b.driver.script("return document.body.innerText", json!([])).await?;
        return Err(otherwise("the wish for a rematch to stay untold", &shown.to_string()));
    }
    look("again").await?;
    b.press("again").await?;
    for window in [a, b] {
        window.says("rules", "two truths and one lie").await?;
    }
    // Whoever ends it is back at the paper; the other is told, and goes back when they like.
    b.press("stop-game").await?;
    let free = "return !document.querySelector('[data-testid=game-panel], [data-testid=over], [data-testid=rules]');";
    b.driver.until("the free paper in B", PATIENCE, free, json!([])).await?;
    a.says("over", "has ended").await?;
    a.press("back-to-paper").await?;
    a.driver.until("the free paper in A", PATIENCE, free, json!([])).await?;
    Ok(())
}

fn otherwise(what: &str, found: &str) -> DriverError {
    DriverError::TimedOut { what: what.to_owned(), waited: Duration::ZERO, last: found.to_owned() }
}
