//! What the corpora begin with: inputs that each decoder accepts, made by the programs' own encoders.

use std::path::Path;
use std::time::Duration;
use visavis_media::audio::{FRAME_SAMPLES, OpusEncoder};
use visavis_media::codec::{Codec, VideoEncoder, VpxEncoder};
use visavis_media::{Frame, FramePool};
use visavis_sight::{Gate, PlanesMut};
use visavis_wire::channel::{ChannelMessage, Comparison, Control, Here, Ink, Live, Operations, Seen, Shows};
use visavis_wire::games::{Entry, Game, GameMessage, Move, Play, Twist, Verdict};
use visavis_wire::paper::{Author, Fill, Form, Op, OpId, OpKind, Place, Point, Run, Shape, Stroke};
use visavis_wire::people::{PeerCard, Profile};
use visavis_wire::socket::{
    ClientMessage, EndReason, MatchId, Question, RelayCredentials, Role, ServerMessage, Signal, Widening,
};
use visavis_wire::{Private, evidence};

const SDP: &str = "v=0\r\no=- 46117 2 IN IP4 192.168.1.7\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 203.0.113.9\r\n\
    a=rtcp:9 IN IP4 203.0.113.9\r\na=ice-ufrag:x\r\na=candidate:1 1 udp 2130706431 192.168.1.7 5000 typ host\r\n\
    a=candidate:3 1 udp 16777215 198.51.100.1 6000 typ relay raddr 203.0.113.9 rport 5001\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96 98\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:98 VP9/90000\r\na=fmtp:98 profile-id=0\r\n\
    a=remote-candidates:1 192.168.1.8 5000\r\na=end-of-candidates\r\n";

pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "socket" => socket(),
        "signalling" => vec![
            SDP.into(),
            b"candidate:3 1 udp 16777215 198.51.100.1 6000 typ relay raddr 203.0.113.9 rport 5001".to_vec(),
            b"candidate:1 1 tcp 9 fe80::1 9 typ host tcptype active".to_vec(),
        ],
        "http" => http(),
        "datagrams" => datagrams(),
        "link" => ["visavis://friends/", "visavis:open", "visavis://history", "visavis://profile"].map(Vec::from).into(),
        "bus" => bus(),
        "settings" => {
            vec![
                file("../deploy/visavis.toml"),
                b"[server]\nlisten = \"127.0.0.1:8443\"\n[relay]\nlisten = \"0.0.0.0:3478\"\n".to_vec(),
            ]
        }
        "picture" => {
            let picture = image::DynamicImage::ImageRgb8(image::RgbImage::from_fn(80, 64, |x, y| {
                image::Rgb([(x * 3) as u8, (y * 4) as u8, 90])
            }));
            [image::ImageFormat::Png, image::ImageFormat::Jpeg].map(|format| in_format(&picture, format)).into()
        }
        "evidence" => {
            let id = MatchId(String::from("m"));
            let picture = evidence::Picture { seconds_before: 10, file: vec![0xff, 0xd8, 1, 2, 3] };
            let sealed = evidence::Evidence { pictures: vec![picture] }.seal(&id, &evidence::key_pair(&[3; 32]).public, [9; 32]);
            vec![sealed.expect("sealed")]
        }
        "channel" => channel(),
        "packets" => packets(),
        "pictures" => [Codec::Vp8, Codec::Vp9].map(pictures).into(),
        "voice" => voice(),
        "paper" => paper(),
        "game" => game(),
        "video" => video(),
        "camera" => camera(),
        "plan" => visavis_rehearsal::rehearse::plan::SCENARIOS.iter().map(|(_, text)| text.as_bytes().to_vec()).collect(),
        other => panic!("no corpus is known for {other}"),
    }
}

fn in_format(picture: &image::DynamicImage, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("a picture");
    bytes.into_inner()
}

fn file(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

fn socket() -> Vec<Vec<u8>> {
    let match_id = || MatchId(String::from("m1"));
    let play = Play { game: Game::Gomoku, twist: None };
    let client = [
        ClientMessage::Hello { protocol: 1 },
        ClientMessage::Widen { languages: vec![String::from("de")], any_age: true },
        ClientMessage::MatchAnswer { match_id: match_id(), meet: true },
        ClientMessage::Answer { match_id: match_id(), question: Question::Play(play), yes: true },
        ClientMessage::Signal { match_id: match_id(), signal: Signal::Offer { sdp: Private::new(String::from(SDP)) } },
        ClientMessage::SawCovered { match_id: match_id(), saw_s: 4, told_s: 0 },
    ];
    let widening = Some(Widening { languages: vec![String::from("fr")], any_age: true });
    let server = [
        ServerMessage::Waiting {
            waited_s: 4,
            looking_for: vec![String::from("city")],
            relaxed: vec![],
            estimate_s: Some(3),
            widening,
        },
        ServerMessage::MatchOffered {
            call: None,
            match_id: match_id(),
            role: Role::Offerer,
            card: PeerCard::default(),
            reasons: vec![],
            answer_within_s: 20,
            relay: RelayCredentials::default(),
        },
        ServerMessage::GameOpened { match_id: match_id(), play, number: 3 },
        ServerMessage::MatchEnded { match_id: match_id(), reason: EndReason::Left, follow_within_s: 60 },
    ];
    let client = client.iter().map(|message| message.to_json().into_bytes());
    client.chain(server.iter().map(|message| message.to_json().into_bytes())).collect()
}

fn bus() -> Vec<Vec<u8>> {
    let header = r#"{"from":"n0","stream":4294967296,"first":1,"heard":0,"next":1}"#;
    let pool = r#"{"name":"all","fence":1}"#;
    let account = "00000000-0000-0000-0000-000000000001";
    let said = format!(
        r#"{{"to_said":{{"pool":{pool},"account":"{account}","socket":7,"message":{{"type":"leave","match_id":"m1"}}}}}}"#
    );
    let deliver = format!(r#"{{"from_deliver":{{"pool":{pool},"socket":7,"message":{{"type":"welcome","protocol":1}}}}}}"#);
    let leads = format!(r#"{{"leads":{{"pool":{pool}}}}}"#);
    vec![header.into(), format!("{header}\n{said}\n{leads}").into(), format!("{header}\n{deliver}").into()]
}

fn stroke(seq: u32, author: u8) -> Op {
    let points = (0..6).map(|step| Point { x: 100 * step, y: 50 * step, pressure: 128 }).collect();
    let stroke = Stroke { colour: Some(0x33_66_99), size: 60, points };
    op(seq, author, OpKind::Stroke(stroke))
}

fn op(seq: u32, author: u8, kind: OpKind) -> Op {
    Op { id: OpId { author: Author(author), seq }, time: seq, live: 0, kind }
}

fn marks(author: u8) -> Vec<Op> {
    let corner = |x, y| Place { x, y };
    let shape = Shape { form: Form::Ellipse, colour: 0x11_22_33, size: 40, from: corner(10, 10), to: corner(2000, 900) };
    let undone = OpId { author: Author(author), seq: 1 };
    vec![
        stroke(1, author),
        op(2, author, OpKind::Shape(shape)),
        op(3, author, OpKind::Fill(Fill { colour: 0xff_00_00, runs: vec![Run(1600, 20), Run(1580, 20)] })),
        op(4, author, OpKind::Undo { target: undone, undone: true }),
        op(5, author, OpKind::Clear),
        stroke(6, author),
    ]
}

fn moves() -> Vec<Move> {
    vec![
        Move::Ready { languages: vec![String::from("en")] },
        Move::Word { commitment: [1; 32], letters: vec![4, 3] },
        Move::Begin { seq: 0 },
        Move::Guess { text: String::from("house") },
        Move::Verdict { guess: 0, verdict: Verdict::Close },
        Move::Hint { place: 1, letter: 'o', given: false },
        Move::End { seq: 2, seal: [2; 32] },
        Move::Open { secret: String::from("house"), nonce: [3; 32] },
        Move::Place { cell: 112 },
        Move::Statements { texts: ["a", "b", "c"].map(String::from), commitment: [4; 32] },
        Move::Pick { statement: 2 },
        Move::Stop,
    ]
}

fn game_messages() -> Vec<GameMessage> {
    let entry = |(at, action): (usize, Move)| Entry { by: Author(at as u8 % 2), at_ms: 100 * at as u32, action };
    vec![
        GameMessage::Moves { game: 1, from: 0, moves: moves() },
        GameMessage::Log { game: 1, from: 0, entries: moves().into_iter().enumerate().map(entry).collect() },
        GameMessage::Here { game: 1, entries: 3, hash: 7, paused: false, at_ms: 900 },
    ]
}

fn channel() -> Vec<Vec<u8>> {
    let here = Here { offerer: 1, answerer: 2, offerer_hash: 3, answerer_hash: 4 };
    let mut controls = vec![
        Control::Sight { shows: Shows::Clear, camera_on: true, sees: Seen::Clear },
        Control::Paper(here),
        Control::Comparison(Comparison::Number([5; 32])),
    ];
    controls.extend(game_messages().into_iter().map(Control::Game));
    let ink = Ink { colour: Some(1), size: 60, fades: false };
    let points = vec![Point { x: 1, y: 2, pressure: 3 }; 4];
    let lives = [Live::Ink { stroke: 1, ink, from: 0, points }, Live::Cursor { x: 5, y: 6 }];
    let mut all: Vec<Vec<u8>> = controls.iter().map(ChannelMessage::to_bytes).collect();
    all.push(Operations(marks(0)).to_bytes());
    all.extend(lives.iter().map(ChannelMessage::to_bytes));
    all
}

/// Behind its length.
fn piece(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_le_bytes(), bytes].concat()
}

fn paper() -> Vec<Vec<u8>> {
    (0..2u8).map(|side| [&[side][..], &piece(&Operations(marks(1 - side)).to_bytes())].concat()).collect()
}

fn game() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for kind in 0..5u8 {
        for twist in [0u8, Some(Twist::Blind).map_or(0, |_| 3)] {
            let mut data = vec![kind, twist, kind % 2];
            for message in game_messages() {
                data.push(20);
                data.extend(piece(&Control::Game(message).to_bytes()));
            }
            all.push(data);
        }
    }
    all
}

/// Packets of a VP8 key frame and a picture after it, and the same of VP9.
fn packets() -> Vec<Vec<u8>> {
    let packet = |flags: u8, step: u8, payload: &[u8]| [&[flags, step, 10, 30][..], &piece(payload)].concat();
    let vp8_key = [0x10, 0, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0, 7, 7];
    let vp8_rest = [0x00, 1, 2, 3, 4];
    let vp8_next = [0x10, 1, 2, 3, 4];
    let vp9_key = [0xb8, 0x80, 1, 0, 0x82, 0x49, 0x83, 0x42, 0x20, 3, 0xf0, 2, 0xf0];
    let vp9_next = [0xfc, 0x80, 2, 0, 2, 0x86, 1, 2, 3];
    vec![
        [packet(0, 1, &vp8_key), packet(2, 1, &vp8_rest), packet(2, 1, &vp8_next), packet(2, 3, &vp8_next)].concat(),
        [packet(3, 1, &vp9_key), packet(3, 1, &vp9_next), packet(3, 4, &vp9_next)].concat(),
    ]
}

fn video() -> Vec<Vec<u8>> {
    let mut y4m = b"YUV4MPEG2 W16 H8 F30:1 C420jpeg\nFRAME\n".to_vec();
    y4m.extend([100; 16 * 8 * 3 / 2]);
    let frame = [0u8, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0];
    let mut ivf = b"DKIF\0\0\x20\0VP80".to_vec();
    ivf.extend([64, 0, 48, 0, 30, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    for at in 0..2u64 {
        ivf.extend((frame.len() as u32).to_le_bytes());
        ivf.extend(at.to_le_bytes());
        ivf.extend(frame);
    }
    vec![y4m, ivf, webm()]
}

/// One of each kind, 16 x 8; then a JPEG.
fn camera() -> Vec<Vec<u8>> {
    let buffers = [(0u8, 32u16, 32 * 8), (1, 16, 16 * 12), (2, 48, 48 * 8), (3, 64, 64 * 8), (4, 80, 80 * 8)];
    let head = |kind: u8, stride: u16| [&[kind, 16, 8][..], &stride.to_le_bytes()].concat();
    let mut all: Vec<Vec<u8>> =
        buffers.map(|(kind, stride, size)| [head(kind, stride), (0..size).map(|at| (at * 7) as u8).collect()].concat()).into();
    let picture = image::RgbImage::from_fn(32, 16, |x, y| image::Rgb([(x * 8) as u8, (y * 16) as u8, 90]));
    let grey = image::GrayImage::from_fn(16, 16, |x, y| image::Luma([(x * y) as u8]));
    for picture in [picture.into(), image::DynamicImage::from(grey)] {
        all.push([head(5, 0), in_format(&picture, image::ImageFormat::Jpeg)].concat());
    }
    all
}

/// Three pictures of a moving slope, as a gate without consent lets them out.
fn pictures(codec: Codec) -> Vec<u8> {
    fn planes(frame: &mut Frame) -> PlanesMut<'_> {
        let (width, height) = (frame.width, frame.height);
        let (columns, _) = frame.chroma_size();
        let (y, u, v) = frame.planes_mut();
        PlanesMut { width, height, y: (y, width), u: (u, columns), v: (v, columns) }
    }
    let (pool, mut gate) = (FramePool::new(1), Gate::new());
    let mut encoder = VpxEncoder::new(codec, 64, 36, 30, 100).expect("an encoder");
    let mut data = vec![u8::from(codec == Codec::Vp9)];
    for number in 0..3u8 {
        let now = Duration::from_millis(33 * u64::from(number));
        let mut frame = pool.frame(64, 36, now).expect("a buffer");
        let bytes = frame.as_bytes_mut().iter_mut().enumerate();
        bytes.for_each(|(at, byte)| *byte = (at as u8).wrapping_mul(3).wrapping_add(number * 9));
        let released = gate.release(frame, now, planes);
        let coded = encoder.encode(&released, false).expect("a coded picture").expect("none is left out");
        data.push(u8::from(number == 1));
        data.extend(piece(&coded.data));
    }
    data
}

/// A second of a tone that stops, one packet after the other; and with every fifth lost.
fn voice() -> Vec<Vec<u8>> {
    let mut encoder = OpusEncoder::new().expect("an encoder");
    encoder.set_packet_loss_percent(20).expect("a loss");
    let (mut all, mut lossy, mut lost) = (Vec::new(), Vec::new(), 0);
    for number in 0..40u32 {
        let tone = |at: u32| if number < 30 { (((at * 440) % 48_000) as i32 - 24_000) as i16 } else { 0 };
        let frame: [i16; FRAME_SAMPLES] = std::array::from_fn(|at| tone(number * FRAME_SAMPLES as u32 + at as u32));
        let Some(packet) = encoder.encode(&frame).expect("a packet") else { continue };
        // Steps of one and of 960, each with what the target takes off; 20 ms; one frame is played.
        let step = |by: u8| [&[1 + by, 4 + 4 * by, 20 * by, by][..], &piece(&packet)].concat();
        all.extend(step(1));
        lost = if number % 5 == 4 {
            lost + 1
        } else {
            lossy.extend(step(lost + 1));
            0
        };
    }
    vec![all, lossy]
}

/// A first and a second message of DTLS, bare, in a channel's data and in an indication, with and without a peer's cookie.
fn datagrams() -> Vec<Vec<u8>> {
    fn hello(cookie: &[u8]) -> Vec<u8> {
        let body = [&[0xfe, 0xfd][..], &[7; 32], &[0, cookie.len() as u8], cookie, &[0, 2, 0xc0, 0x2b, 1, 0, 0, 0]].concat();
        let (length, second) = (body.len() as u8, u8::from(!cookie.is_empty()));
        let message = [&[1, 0, 0, length, 0, second, 0, 0, 0, 0, 0, length][..], &body].concat();
        [&[22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, second, 0, length + 12][..], &message].concat()
    }
    fn in_indication(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u16).to_be_bytes();
        let mut attributes = [&[0, 0x12, 0, 8, 0, 1, 2, 3, 4, 5, 6, 7, 0, 0x13][..], &length, payload].concat();
        attributes.resize(attributes.len().next_multiple_of(4), 0);
        [&[0, kind][..], &(attributes.len() as u16).to_be_bytes(), &[0x21, 0x12, 0xa4, 0x42], &[9; 12], &attributes].concat()
    }
    let cookie = b"a=x-dtls-cookie:0102030405060708090a0b0c0d0e0f1011121314\r\n";
    let behind = |sdp: &[u8], datagram: Vec<u8>| [&[sdp.len() as u8][..], sdp, &[40], &datagram].concat();
    let first = hello(&[]);
    let channel = [&[0x40, 1, 0, first.len() as u8][..], &first].concat();
    // Two on a stream, of which the first is padded.
    let stream = [&[0x40, 1, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0][..], &in_indication(0x17, &[8; 8])].concat();
    vec![
        behind(cookie, first.clone()),
        behind(b"", hello(&[7; 20])),
        behind(cookie, channel),
        behind(b"", in_indication(0x16, &first)),
        behind(b"", in_indication(0x17, &hello(&[7; 20]))),
        behind(b"", stream),
    ]
}

/// A few of each shape: nothing optional, everything, lists, a choice.
fn http() -> Vec<Vec<u8>> {
    let texts = [
        r#"{"redirect_uri":"http://127.0.0.1:9/callback","code_challenge":"x"}"#,
        r#"{"authorization_url":"https://a/b?c=d","state":"s","expires_in_s":300}"#,
        r#"{"state":"s","code":"c","code_verifier":"v"}"#,
        r#"{"access_token":"a","expires_in_s":600,"refresh_token":"r"}"#,
        r#"{"code":"token_expired","message":"Sign in again."}"#,
        r#"{"file":"iVBORw0KGgo="}"#,
        r#"{"jpeg":"/9j/4AAQ"}"#,
        r#"{"text":"good evening"}"#,
        r#"{"match_id":"m","category":"hate","text":"t","pictures":"AAAA"}"#,
        r#"{"city":{"value":"Bern","shared":true},"languages":{"value":["de"],"shared":true},"interests":{"value":["drawing"],"shared":false}}"#,
    ];
    let mut all: Vec<Vec<u8>> = texts.map(Vec::from).into();
    let values = [
        serde_json::to_vec(&Profile::default()),
        serde_json::to_vec(&PeerCard { age: Some(30), ..PeerCard::default() }),
        serde_json::to_vec(&visavis_wire::friends::History::default()),
        serde_json::to_vec(&visavis_wire::friends::Conversation::default()),
        serde_json::to_vec(&visavis_wire::safety::Standing::default()),
    ];
    all.extend(values.map(|value| value.expect("it serialises")));
    all
}

/// One track, one cluster with two blocks; sizes of one byte each.
fn webm() -> Vec<u8> {
    fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
        [id, &[0x80 | body.len() as u8], body].concat()
    }
    let head = element(&[0x1a, 0x45, 0xdf, 0xa3], &element(&[0x42, 0x82], b"webm"));
    let track = [element(&[0xd7], &[1]), element(&[0x83], &[1]), element(&[0x86], b"V_VP8")].concat();
    let tracks = element(&[0x16, 0x54, 0xae, 0x6b], &element(&[0xae], &track));
    let block = |at: u8| element(&[0xa3], &[0x81, 0, at, 0x80, 0, 0, 0, 0x9d, 0x01, 0x2a, 64, 0, 48, 0]);
    let cluster = element(&[0x1f, 0x43, 0xb6, 0x75], &[element(&[0xe7], &[0]), block(0), block(33)].concat());
    [head, element(&[0x18, 0x53, 0x80, 0x67], &[tracks, cluster].concat())].concat()
}
