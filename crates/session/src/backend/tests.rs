//! The client against servers that are not there, or not what they should be.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers the n-th request (with its head) by what `answer` says.
async fn server(answer: impl Fn(usize, &str) -> String + Send + Sync + 'static) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 16 * 1024];
            let read = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let answer = answer(counted.fetch_add(1, Ordering::SeqCst), &head);
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, count)
}

fn http(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn backend(address: &str) -> Backend {
    Backend::new(address, Keyring::memory())
}

async fn signed_in(address: &str) -> Backend {
    let backend = backend(address);
    *backend.tokens.lock().await = Some(tokens("a1", "r1"));
    backend
}

fn tokens(access: &str, refresh: &str) -> Tokens {
    Tokens { access_token: access.to_owned().into(), expires_in_s: 60, refresh_token: refresh.to_owned().into() }
}

const ME: &str = "{\"username\":\"ada\",\"profile\":{\"city\":{\"value\":\"\",\"shared\":false},\"languages\":{\"value\":[\"en\"],\"shared\":true},\
\"interests\":{\"value\":[],\"shared\":false},\"games\":{\"value\":[],\"shared\":false},\"age\":{\"value\":null,\"shared\":false},\
\"sign\":{\"value\":null,\"shared\":false}}}";
const EXPIRED: &str = "{\"code\":\"token_expired\",\"message\":\"Too old.\"}";

#[test]
fn plain_http_is_for_this_machine_alone() {
    for good in [
        "https://visavis.example",
        "https://visavis.example/sub",
        "http://127.0.0.1:1",
        "http://localhost:8080",
        "http://[::1]:9",
    ] {
        assert!(base(good).is_ok(), "{good}");
    }
    for bad in
        ["http://visavis.example", "http://10.0.0.1", "ftp://x", "", "visavis.example", "https://", "http://127.0.0.1.example"]
    {
        assert!(matches!(base(bad), Err(Failure::Refused(_))), "{bad}");
    }
    assert_eq!(backend("https://h.example/sub?x#y").socket_url().unwrap().as_str(), "wss://h.example/sub/v1/socket");
    assert_eq!(backend("http://127.0.0.1:7").socket_url().unwrap().as_str(), "ws://127.0.0.1:7/v1/socket");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable() {
    let port = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let backend = signed_in(&format!("http://127.0.0.1:{port}")).await;
    assert_eq!(backend.me().await.unwrap_err(), Failure::Unreachable { host: String::from("127.0.0.1") });
}

#[tokio::test]
async fn what_is_no_visavis_server_is_malformed() {
    let long = "x".repeat(2 * ANSWER_BYTES);
    let answers = [
        http("200 OK", "<html>a page</html>"),
        http("200 OK", "{\"username\":3}"),
        http("404 Not Found", "not here"),
        http("500 Internal Server Error", ""),
        http("302 Found", ""),
        http("200 OK", &format!("\"{long}\"")),
    ];
    for answer in answers {
        let label = answer[..40].to_owned();
        let (address, _) = server(move |_, _| answer.clone()).await;
        assert_eq!(signed_in(&address).await.me().await.unwrap_err(), Failure::Malformed, "{label}");
    }
    let (address, _) = server(|_, _| String::from("SSH-2.0-OpenSSH\r\n")).await;
    assert_eq!(signed_in(&address).await.me().await.unwrap_err(), Failure::Malformed, "not even HTTP");
    let (address, _) = server(|_, _| http("503 Service Unavailable", "")).await;
    assert!(
        matches!(signed_in(&address).await.me().await, Err(Failure::Unreachable { .. })),
        "a proxy before a server that is down"
    );
}

#[tokio::test]
async fn a_refusal_keeps_its_code() {
    let (address, _) = server(|_, _| http("403 Forbidden", "{\"code\":\"under_age\",\"message\":\"Adults only.\"}")).await;
    let start = SignInStart { redirect_uri: String::new(), code_challenge: String::new() };
    let failure = backend(&address).start_sign_in(&start).await.unwrap_err();
    assert_eq!(failure, Failure::Refused(Refusal { code: RefusalCode::UnderAge, message: String::from("Adults only.") }));
    let (address, _) = server(|_, _| http("400 Bad Request", "{\"code\":\"of_the_future\",\"message\":\"?\"}")).await;
    assert!(matches!(signed_in(&address).await.me().await, Err(Failure::Refused(Refusal { code: RefusalCode::Unknown, .. }))));
}

#[tokio::test]
async fn an_old_token_is_renewed_once_and_the_request_repeated() {
    let (address, count) = server(|_, head| {
        if head.starts_with("POST /v1/token ") {
            http("200 OK", "{\"access_token\":\"a2\",\"expires_in_s\":60,\"refresh_token\":\"r2\"}")
        } else if head.to_lowercase().contains("authorization: bearer a2") {
            http("200 OK", ME)
        } else {
            http("401 Unauthorized", EXPIRED)
        }
    })
    .await;
    let backend = signed_in(&address).await;
    assert_eq!(backend.me().await.unwrap().username.reveal(), "ada");
    assert_eq!(count.load(Ordering::SeqCst), 3);
    // Somebody who held the old token meanwhile gets the new one without spending the refresh token again.
    assert_eq!(backend.renew(&String::from("a1").into()).await.unwrap().reveal(), "a2");
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_refused_refresh_is_a_sign_out_and_an_unreachable_one_is_not() {
    let (address, count) = server(|_, _| http("401 Unauthorized", EXPIRED)).await;
    let backend = signed_in(&address).await;
    assert!(matches!(backend.me().await, Err(Failure::SignedOut(_))));
    assert_eq!(count.load(Ordering::SeqCst), 2, "one request, one refresh, no more");
    assert!(matches!(backend.me().await, Err(Failure::SignedOut(_))), "the tokens are gone");
    assert_eq!(count.load(Ordering::SeqCst), 2);

    let (address, _) =
        server(
            |_, head| {
                if head.starts_with("POST /v1/token ") { http("502 Bad Gateway", "") } else { http("401 Unauthorized", EXPIRED) }
            },
        )
        .await;
    let backend = signed_in(&address).await;
    assert!(matches!(backend.me().await, Err(Failure::Unreachable { .. })));
    assert!(backend.access_token().await.is_ok(), "the sign-in outlives a server that is down");
}
