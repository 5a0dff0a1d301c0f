//! The sentences of a refusal. The app prefers its own words; these serve a client that does not know the code.

use visavis_wire::http::{Refusal, RefusalCode};
use visavis_wire::socket::ServerMessage;

pub fn refusal(code: RefusalCode) -> Refusal {
    Refusal { code, message: sentence(code).to_owned() }
}

pub fn refusal_saying(code: RefusalCode, message: impl Into<String>) -> Refusal {
    Refusal { code, message: message.into() }
}

pub fn refuse(code: RefusalCode) -> ServerMessage {
    ServerMessage::Refused { refusal: refusal(code) }
}

pub fn refuse_saying(code: RefusalCode, message: impl Into<String>) -> ServerMessage {
    ServerMessage::Refused { refusal: refusal_saying(code, message) }
}

fn sentence(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::UnderAge => "Visavis is for people of 18 and over. You are welcome here once you are 18.",
        RefusalCode::NotVerified => {
            "Your sign-in service has not verified that you are 18 or over. Once it has, sign in again and you can meet people."
        }
        RefusalCode::SignInExpired => "This sign-in has expired or was used already. Please start it again.",
        RefusalCode::IssuerFault => "The sign-in service did not answer as it should. Please try again in a moment.",
        RefusalCode::SignInDenied => "The sign-in was cancelled.",
        RefusalCode::TokenExpired => "Your session has expired. Please sign in again.",
        RefusalCode::TokenInvalid => "You are not signed in, or your session has ended. Please sign in.",
        RefusalCode::BadRequest => "The server did not understand that request.",
        RefusalCode::ProfileIncomplete => "Please choose at least one language in your profile first.",
        RefusalCode::TooManyRequests => "That was a lot at once. Please wait a moment and try again.",
        RefusalCode::Paused => {
            "Your account is paused for a while. The app says why and until when, and you can ask for another look."
        }
        RefusalCode::Banned => "Your account can no longer meet people here. The app says why, and you can ask for another look.",
        RefusalCode::Leaving => "This account is being deleted. It will be gone as soon as an open report has been decided.",
        RefusalCode::Replaced => "You opened Visavis somewhere else; this window has been disconnected.",
        RefusalCode::OutdatedApp => "This version of the app is too old or too new for the server. Please update it.",
        RefusalCode::ShuttingDown => "The server is closing for now. Please come back in a while.",
        RefusalCode::Internal | RefusalCode::Unknown => "Something went wrong on the server. Please try again.",
    }
}
