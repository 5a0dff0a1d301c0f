//! What a game allows of a command about the paper, and what of the paper stays here while it is hidden.

use super::Effect;
use crate::Command;
use visavis_call as call;
use visavis_games::{Area, Permit};
use visavis_wire::channel::Control;
use visavis_wire::paper::{Place, cells};

/// The command as it may be carried out: inside the area and in the colour of the turn. A mark that was begun in time and ends too
/// late becomes none.
pub(super) fn allowed(command: Command, permit: Permit, one: Option<u32>) -> Option<Command> {
    let area = permit.area;
    let whole = area == Area::PAPER && !permit.hidden;
    let colour = |wanted: Option<u32>| wanted.map(|wanted| one.filter(|_| permit.one_colour).unwrap_or(wanted));
    match command {
        Command::MoveCursor { .. } | Command::DrawCancel { .. } | Command::DrawPoints { fades: true, .. } => Some(command),
        Command::DrawEnd { id } if !permit.draw => Some(Command::DrawCancel { id }),
        _ if !permit.draw => None,
        Command::DrawPoints { id, colour: wanted, size, fades, mut points } => {
            for point in &mut points {
                Place { x: point.x, y: point.y } = inside(area, Place { x: point.x, y: point.y });
            }
            Some(Command::DrawPoints { id, colour: colour(wanted), size, fades, points })
        }
        Command::DrawShape { id, mut shape } => {
            (shape.from, shape.to) = (inside(area, shape.from), inside(area, shape.to));
            shape.colour = colour(Some(shape.colour)).unwrap_or(shape.colour);
            Some(Command::DrawShape { id, shape })
        }
        Command::DrawFill { mut fill } => {
            let held = |(column, row, length): (u16, u16, u16)| {
                area.holds(column * 10, row * 10) && area.holds((column + length - 1) * 10, row * 10)
            };
            fill.colour = colour(Some(fill.colour)).unwrap_or(fill.colour);
            let inside = cells(&fill.runs).all(held);
            inside.then_some(Command::DrawFill { fill })
        }
        // It would take what the other side has drawn, or draws unseen.
        Command::ClearPaper => whole.then_some(Command::ClearPaper),
        command => Some(command),
    }
}

fn inside(area: Area, place: Place) -> Place {
    Place { x: place.x.clamp(area.left, area.right), y: place.y.clamp(area.top, area.bottom) }
}

/// Takes out what would tell the peer of the own paper.
pub(super) fn withhold(out: &mut Vec<Effect>, from: usize) {
    let tells = |effect: &Effect| {
        matches!(
            effect,
            Effect::Call(call::Command::Operations(_) | call::Command::Live(_) | call::Command::Control(Control::Paper(_)))
        )
    };
    let kept: Vec<Effect> = out.drain(from..).filter(|effect| !tells(effect)).collect();
    out.extend(kept);
}
