//! Pictures of profiles over HTTP: what is taken, what is left of it, and who may see it when.

use crate::support::{Person, TestServer};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use std::io::Cursor;
use visavis_wire::http::{Me, Refusal};
use visavis_wire::limits::{PICTURE_FILE, PICTURE_SIDE};
use visavis_wire::safety::DeletionOffer;
use visavis_wire::socket::{ClientMessage, ServerMessage};

fn file(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(width, height, Rgb([200, 30, 30])).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A comment behind the first marker.
fn with_a_secret(jpeg: &[u8]) -> Vec<u8> {
    let secret = b"taken in my garden";
    let length = u16::try_from(secret.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xfe], &length, secret, &jpeg[2..]].concat()
}

async fn set(server: &TestServer, token: &str, file: &[u8]) -> (u16, String) {
    let body = json!({ "file": STANDARD.encode(file) });
    let answer = server.http.put(server.url("/v1/me/picture")).bearer_auth(token).json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The file, or the status.
async fn seen(server: &TestServer, path: &str, token: &str) -> Result<Vec<u8>, u16> {
    let answer = server.http.get(server.url(path)).bearer_auth(token).send().await.unwrap();
    assert_eq!(answer.headers()["cache-control"], "no-store", "no cache keeps a face");
    if answer.status() != 200 {
        return Err(answer.status().as_u16());
    }
    let picture: Value = answer.json().await.unwrap();
    Ok(STANDARD.decode(picture["jpeg"].as_str().unwrap()).unwrap())
}

async fn share(server: &TestServer, person: &Person, shared: bool) {
    let me: Me = server.get("/v1/me", &person.token).await.unwrap();
    let mut profile = me.profile;
    profile.picture.shared = shared;
    let put = server.http.put(server.url("/v1/me/profile")).bearer_auth(&person.token).json(&profile);
    server.call::<Me>(put).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_picture_is_taken_and_nothing_else_of_its_file_stays() {
    let server = TestServer::start().await;
    let token = server.sign_in("ada").await;
    assert_eq!(seen(&server, "/v1/me/picture", &token).await, Err(404));
    let told = with_a_secret(&file(400, 300, ImageFormat::Jpeg));
    assert_eq!(set(&server, &token, &told).await.0, 200);
    let kept = seen(&server, "/v1/me/picture", &token).await.unwrap();
    assert!(!kept.windows(6).any(|bytes| bytes == b"garden"), "the file's comment");
    let picture = image::load_from_memory_with_format(&kept, ImageFormat::Jpeg).unwrap();
    assert_eq!((picture.width(), picture.height()), (PICTURE_SIDE, PICTURE_SIDE));

    // A PNG that unfolds to 108 MB of one colour; things that are no picture; a picture that is too small; one that is too large.
    let bomb = file(6_000, 6_000, ImageFormat::Png);
    assert!(bomb.len() < PICTURE_FILE / 4, "{}", bomb.len());
    let mut half = file(400, 300, ImageFormat::Png);
    half.truncate(half.len() / 2);
    for (what, status, words) in [
        (&bomb[..], 400, "too many pixels"),
        (b"GIF89a and so on", 400, "neither a JPEG nor a PNG"),
        (b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>", 400, "neither a JPEG nor a PNG"),
        (&half, 400, "damaged"),
        (&file(40, 40, ImageFormat::Png), 400, "too small"),
        (&vec![0; PICTURE_FILE + 1], 400, "larger than 6 MB"),
        // Beyond what a body may be. By little: a sender who is far from its end when it is refused may see a broken line instead.
        (&vec![0; PICTURE_FILE + 1_500], 413, "too large"),
    ] {
        let (answered, said) = set(&server, &token, what).await;
        assert_eq!(answered, status, "{said}");
        assert!(serde_json::from_str::<Refusal>(&said).unwrap().message.contains(words), "{said}");
    }
    let nonsense = server.http.put(server.url("/v1/me/picture")).bearer_auth(&token).json(&json!({ "file": "%%" }));
    assert_eq!(nonsense.send().await.unwrap().status(), 400);
    assert_eq!(seen(&server, "/v1/me/picture", &token).await.unwrap(), kept, "the old one stays");
    let mut statuses = Vec::new();
    for _ in 0..20 {
        statuses.push(set(&server, &token, b"x").await.0);
    }
    assert_eq!(statuses.last(), Some(&429), "so many in an hour: {statuses:?}");
    let other = server.sign_in("bao").await;
    assert_eq!(set(&server, &other, &told).await.0, 200, "a limit of one's own");
    assert_eq!(set(&server, "nobody's", &told).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_picture_is_seen_by_the_match_alone_and_as_long_as_it_runs() {
    let server = TestServer::start().await;
    let (mut ada, mut bao) = (server.person("ada").await, server.person("bao").await);
    let chen = server.sign_in("chen").await;
    assert_eq!(set(&server, &ada.token, &file(300, 300, ImageFormat::Png)).await.0, 200);
    share(&server, &ada, true).await;
    for person in [&mut ada, &mut bao] {
        person.say(ClientMessage::Join).await;
    }
    let (match_id, _, _, offer) = bao.offered().await;
    assert!(matches!(&offer, ServerMessage::MatchOffered { card, .. } if card.picture), "{offer:?}");
    ada.offered().await;
    let path = format!("/v1/matches/{}/picture", match_id.0);
    let own = seen(&server, "/v1/me/picture", &ada.token).await.unwrap();
    assert_eq!(seen(&server, &path, &bao.token).await.as_ref(), Ok(&own), "while it is offered");
    assert_eq!(seen(&server, &path, &ada.token).await, Err(404), "bao has none");
    assert_eq!(seen(&server, &path, &chen).await, Err(404), "nobody else");
    assert_eq!(seen(&server, &path, "nobody's").await, Err(401));
    for person in [&mut ada, &mut bao] {
        person.say(ClientMessage::MatchAnswer { match_id: match_id.clone(), meet: true }).await;
    }
    ada.begins().await;
    bao.begins().await;
    assert_eq!(seen(&server, &path, &bao.token).await.as_ref(), Ok(&own));
    share(&server, &ada, false).await;
    assert_eq!(seen(&server, &path, &bao.token).await, Err(404), "taken back");
    share(&server, &ada, true).await;
    ada.say(ClientMessage::Leave { match_id }).await;
    assert!(matches!(bao.hear().await, ServerMessage::MatchEnded { .. }));
    let over = async { while seen(&server, &path, &bao.token).await.is_ok() {} };
    tokio::time::timeout(crate::support::PATIENCE, over).await.expect("over with the match");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_goes_into_the_export_and_with_its_owner() {
    let server = TestServer::start().await;
    let token = server.sign_in("ada").await;
    assert_eq!(set(&server, &token, &file(300, 300, ImageFormat::Png)).await.0, 200);
    let kept = seen(&server, "/v1/me/picture", &token).await.unwrap();
    let all: Value = server.get("/v1/me/export", &token).await.unwrap();
    assert_eq!(all["held"]["pictures"][0]["jpeg"], json!(STANDARD.encode(&kept)));
    let removed = server.http.delete(server.url("/v1/me/picture")).bearer_auth(&token);
    assert!(!server.call::<Me>(removed).await.unwrap().profile.picture.value);
    assert_eq!(seen(&server, "/v1/me/picture", &token).await, Err(404));
    assert_eq!(set(&server, &token, &file(300, 300, ImageFormat::Png)).await.0, 200);
    let begin = server.http.post(server.url("/v1/me/deletion")).bearer_auth(&token).json(&json!({}));
    let offer: DeletionOffer = server.call(begin).await.unwrap();
    let end = server.http.delete(server.url("/v1/me")).bearer_auth(&token);
    let body = json!({ "confirmation": offer.confirmation.reveal() });
    assert!(end.json(&body).send().await.unwrap().status().is_success());
    let anew = server.sign_in("ada").await;
    assert_eq!(seen(&server, "/v1/me/picture", &anew).await, Err(404), "gone with the account");
}
