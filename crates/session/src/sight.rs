//! The two vocabularies for how a camera looks: the detector's and the one that travels. Equal but for their home.

use visavis_sight::detector::CameraState;
use visavis_wire::channel::Seen;

pub fn camera_state(seen: Seen) -> CameraState {
    match seen {
        Seen::Unknown => CameraState::Unknown,
        Seen::Clear => CameraState::Clear,
        Seen::Dark => CameraState::Dark,
        Seen::Covered => CameraState::Covered,
        Seen::Frozen => CameraState::Frozen,
        Seen::Off => CameraState::Off,
        Seen::NoSignal => CameraState::NoSignal,
        Seen::Partial => CameraState::Partial,
        Seen::NobodyInView => CameraState::NobodyInView,
    }
}

pub(crate) fn seen(state: CameraState) -> Seen {
    match state {
        CameraState::Unknown => Seen::Unknown,
        CameraState::Clear => Seen::Clear,
        CameraState::Dark => Seen::Dark,
        CameraState::Covered => Seen::Covered,
        CameraState::Frozen => Seen::Frozen,
        CameraState::Off => Seen::Off,
        CameraState::NoSignal => Seen::NoSignal,
        CameraState::Partial => Seen::Partial,
        CameraState::NobodyInView => Seen::NobodyInView,
    }
}
