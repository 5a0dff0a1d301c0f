//! What an operator relies on: TLS, proxies, the port of the metrics, and logs and figures that tell nothing of people.

use crate::support::TestServer;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use visavis_server::{AdminConfig, TlsFiles};
use visavis_wire::http::RefusalCode;
use visavis_wire::safety::Configuration;

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Writes a fresh certificate into both files and returns it.
fn write_certificate(folder: &Path) -> (TlsFiles, String) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec![String::from("localhost")]).unwrap();
    let files = TlsFiles { certificate: folder.join("tls.pem"), key: folder.join("tls-key.pem") };
    std::fs::write(&files.certificate, cert.pem()).unwrap();
    std::fs::write(&files.key, signing_key.serialize_pem()).unwrap();
    (files, cert.pem())
}

async fn health(port: u16, trusted: &str) -> Result<reqwest::StatusCode, reqwest::Error> {
    let certificate = reqwest::Certificate::from_pem(trusted.as_bytes()).unwrap();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([certificate]).build().unwrap();
    Ok(client.get(format!("https://localhost:{port}/v1/health")).send().await?.status())
}

#[tokio::test(flavor = "multi_thread")]
async fn https_with_a_certificate_that_is_exchanged_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (files, first) = write_certificate(folder.path());
    let server = TestServer::with(|config| config.tls = Some(files.clone())).await;
    assert!(server.running.url().starts_with("https://"));
    let port = server.running.http.port();
    assert_eq!(health(port, &first).await.unwrap(), 200);
    assert!(
        reqwest::Client::builder().no_proxy().build().unwrap().get(server.url("/v1/health")).send().await.is_err(),
        "no plain HTTP"
    );

    let (_, second) = write_certificate(folder.path());
    assert_eq!(health(port, &first).await.unwrap(), 200, "not before it is asked for");
    server.running.reload_certificate().unwrap();
    assert_eq!(health(port, &second).await.unwrap(), 200);
    assert!(health(port, &first).await.is_err(), "the old one is no longer used");

    // Files that are not in order leave the server as it is.
    std::fs::write(&files.key, "nonsense").unwrap();
    let said = server.running.reload_certificate().unwrap_err().to_string();
    assert!(said.contains("tls-key.pem"), "{said}");
    assert_eq!(health(port, &second).await.unwrap(), 200);
    // Somebody who opens a connection and says nothing keeps nobody waiting.
    let _silent = tokio::net::TcpStream::connect(server.running.http).await.unwrap();
    assert_eq!(health(port, &second).await.unwrap(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_behind_a_trusted_proxy_have_limits_of_their_own() {
    let strict = |trusted: bool| {
        TestServer::with(move |config| {
            config.limits.sign_ins_per_minute = 1;
            config.limits.requests_per_minute = 2;
            if trusted {
                config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
            }
        })
    };
    let statuses = async |server: &TestServer, path: &str, from: &[&str]| {
        let mut statuses = Vec::new();
        for from in from {
            let request = if path == "/v1/me" { server.http.get(server.url(path)) } else { server.http.post(server.url(path)) };
            let answer =
                request.header("x-forwarded-for", *from).json(&serde_json::json!({"refresh_token": "x"})).send().await.unwrap();
            statuses.push(answer.status().as_u16());
        }
        statuses
    };
    let server = strict(true).await;
    let seen = statuses(&server, "/v1/token", &["198.51.100.1", "198.51.100.2", "198.51.100.1", "9.9.9.9, 198.51.100.2"]).await;
    assert_eq!(seen, [401, 401, 429, 429]);
    let seen = statuses(&server, "/v1/me", &["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"]).await;
    assert_eq!(seen, [401, 401, 429, 401], "of IPv6 a network counts");
    let server = strict(false).await;
    let seen = statuses(&server, "/v1/token", &["198.51.100.1", "198.51.100.2"]).await;
    assert_eq!(seen, [401, 429], "a client's own word");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_port_shows_figures_to_whoever_has_the_token() {
    let server = TestServer::with(|config| config.admin = Some(AdminConfig { listen: LOOPBACK, token_file: None })).await;
    let _pair = server.pair().await;
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    let address = server.running.admin.unwrap();
    let url = |path: &str| format!("http://{address}{path}");
    let token = std::fs::read_to_string(server.folder.path().join("admin.token")).unwrap();
    let plain = server.http.get(url("/metrics")).send().await.unwrap();
    assert_eq!(plain.status(), 401);
    let wrong = server.http.get(url("/metrics")).bearer_auth("wrong").send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let answer = server.http.get(url("/metrics")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let text = answer.text().await.unwrap();
    for line in ["visavis_matches_begun_total 1", "visavis_people{kind=\"matched\"} 2", "visavis_sockets 2"] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(
        text.contains("visavis_http_requests_total{route=\"/v1/sign-in/finish\",method=\"POST\",status=\"200\"} 2"),
        "{text}"
    );

    // The form, and what a page elsewhere could try.
    let form = [("token", token.as_str())];
    let foreign = server.http.post(url("/login")).header("origin", "https://evil.example").form(&form).send().await.unwrap();
    assert_eq!(foreign.status(), 403);
    let named = server.http.get(url("/metrics")).bearer_auth(&token).header("host", "evil.example").send().await.unwrap();
    assert_eq!(named.status(), 403);
    let signed_in = server.http.post(url("/login")).form(&form).send().await.unwrap();
    assert_eq!(signed_in.status(), 303);
    let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    assert_eq!(server.http.get(url("/metrics")).header("cookie", cookie).send().await.unwrap().status(), 200);
    let bad = server.http.get(url("/metrics")).header("cookie", "visavis_admin=guess").send().await.unwrap();
    assert_eq!(bad.status(), 401);
    // Nothing of it is on the port of the clients.
    let public = server.http.get(server.url("/metrics")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(public.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_says_to_whom_pictures_are_sealed() {
    let server = TestServer::start().await;
    let bare: Configuration = server.call(server.http.get(server.url("/v1/configuration"))).await.unwrap();
    assert_eq!((bare.moderation_key, bare.evidence_days), (None, 30));
    let server = TestServer::with(|config| config.moderation.public_key = Some([7; 32])).await;
    let known: Configuration = server.call(server.http.get(server.url("/v1/configuration"))).await.unwrap();
    assert_eq!(known.moderation_key.as_deref(), Some("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="));
    let refused = server.get::<serde_json::Value>("/v1/me", "nonsense").await.unwrap_err();
    assert_eq!(refused.code, RefusalCode::TokenInvalid);
}

/// The real program, with everything it would ever log, in an evening of people with names that occur nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn an_evening_leaves_no_names_and_addresses_in_logs_and_figures() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("visavis.toml");
    std::fs::write(&file, "[server]\ndev = true\ntrusted_proxies = [\"127.0.0.0/8\"]\n[admin]\nlisten = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\nfilter = \"trace\"\n").unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_visavis-server"))
        .env_clear()
        .arg("--config")
        .arg(&file)
        .arg("--data")
        .arg(folder.path().join("data"))
        .stdout(std::process::Stdio::piped())
        .stderr(std::fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line).unwrap();
    let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
    let address = |name: &str| ready[name].as_str().unwrap().trim_start_matches("http://").parse::<SocketAddr>().unwrap();
    let server = crate::support::Client::to(address("http"));

    let token = server.sign_in("ada").await;
    let secrets = evening(&server, &token).await;

    let admin_token = std::fs::read_to_string(folder.path().join("data/admin.token")).unwrap();
    let figures = server.http.get(format!("http://{}/metrics", address("admin"))).bearer_auth(&admin_token).send().await.unwrap();
    let figures = figures.text().await.unwrap();
    assert!(figures.contains("visavis_http_requests_total"), "{figures}");
    let stopped = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    child.wait().unwrap();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.lines().count() > 100, "the log was on: {log}");
    for line in log.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "one JSON object a line: {line}");
    }
    for secret in secrets.iter().map(String::as_str).chain([admin_token.trim()]) {
        assert!(!figures.contains(secret), "{secret} in the figures");
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret} in the log: {}", line.unwrap_or_default());
    }
}

/// Fills a profile, meets somebody, signals addresses, reports; returns what must be found nowhere.
async fn evening(server: &crate::support::Client, token: &str) -> Vec<String> {
    use visavis_wire::Private;
    use visavis_wire::http::Me;
    use visavis_wire::socket::{ClientMessage, Signal};

    let mut me: Me = server.get("/v1/me", token).await.unwrap();
    me.profile.city.value = Private::new(String::from("Zzyzxville"));
    me.profile.interests.value = vec![String::from("xylorimba")];
    let request = server.http.put(server.url("/v1/me/profile")).header("x-forwarded-for", "198.51.100.77");
    let _: Me = server.call(request.bearer_auth(token).json(&me.profile)).await.unwrap();
    let (mut ada, mut bao) = (server.socket(token).await, server.person("bao").await);
    let match_id = server.meet(&mut ada, &mut bao).await;
    let sdp = "v=0\r\nc=IN IP4 203.0.113.99\r\na=candidate:1 1 udp 1 203.0.113.99 5 typ host\r\n";
    let signal = Signal::Offer { sdp: Private::new(sdp.to_owned()) };
    ada.say(ClientMessage::Signal { match_id: match_id.clone(), signal }).await;
    bao.hear().await;
    ada.send_text(String::from("{\"type\":\"nonsense\",\"city\":\"Zzyzxville\"}")).await;
    ada.refused().await;
    let report = serde_json::json!({"match_id": match_id, "category": "hate", "text": "quixotic flimflam"});
    let request = server.http.post(server.url("/v1/reports")).bearer_auth(&bao.token).json(&report);
    let _: serde_json::Value = server.call(request).await.unwrap();
    let _: serde_json::Value = server.get("/v1/me/export", token).await.unwrap();
    let bad = server.http.get(server.url("/v1/me?city=Zzyzxville")).bearer_auth("not-a-token-of-anybody").send().await.unwrap();
    assert_eq!(bad.status(), 401);
    let told =
        ["Zzyzxville", "xylorimba", "198.51.100.77", "203.0.113.99", "quixotic", "\"Ada\"", "dev-ada", "not-a-token-of-anybody"];
    told.into_iter().map(str::to_owned).chain([token.to_owned(), bao.token.clone()]).collect()
}
