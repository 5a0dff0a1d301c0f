//! Redirects that are wrong, late, or somebody else's.

use super::*;
use crate::keyring::Keyring;
use proptest::prelude::*;

async fn get(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn listening() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn everything_but_the_redirect_with_the_right_state_is_ignored() {
    let (listener, port) = listening().await;
    let waiting = tokio::spawn(async move { redirect(&listener, "right").await });
    for request in [
        "GET /favicon.ico HTTP/1.1\r\n\r\n",
        "GET /callback HTTP/1.1\r\n\r\n",
        "GET /callback?code=x&state=wrong HTTP/1.1\r\n\r\n",
        "GET /callback?code=x&state=right&state=right HTTP/1.1\r\n\r\n",
        "GET /callback?code=x&code=y&state=right HTTP/1.1\r\n\r\n",
        "GET /callback?state=right HTTP/1.1\r\n\r\n",
        "GET /callback?code=x&error=y&state=right HTTP/1.1\r\n\r\n",
        "GET /other?code=x&state=right HTTP/1.1\r\n\r\n",
        "POST /callback?code=x&state=right HTTP/1.1\r\n\r\n",
    ] {
        let answer = get(port, request).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{request:?} got {answer:?}");
    }
    // Bytes that are no request, a socket that says nothing, and one that goes at once.
    drop(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    let silent = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    assert_eq!(get(port, &format!("{}\r\n\r\n", "\u{1}".repeat(300))).await.split(' ').nth(1), Some("404"));
    assert!(!waiting.is_finished());
    let answer = get(port, "GET /callback?code=the%20code&state=right&iss=x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("You can close this window"));
    assert_eq!(waiting.await.unwrap().unwrap().reveal(), "the code");
    drop(silent);
}

#[tokio::test]
async fn a_cancel_at_the_issuer_is_not_a_fault_of_the_issuer() {
    for (error, code) in [("access_denied", RefusalCode::SignInDenied), ("server_error", RefusalCode::IssuerFault)] {
        let (listener, port) = listening().await;
        let waiting = tokio::spawn(async move { redirect(&listener, "s").await });
        get(port, &format!("GET /callback?error={error}&state=s HTTP/1.1\r\n\r\n")).await;
        assert!(matches!(waiting.await.unwrap(), Err(Failure::Refused(refusal)) if refusal.code == code));
    }
}

#[tokio::test]
async fn a_crowd_of_silent_sockets_does_not_keep_the_browser_out_for_ever() {
    let (listener, port) = listening().await;
    let waiting = tokio::spawn(async move { redirect(&listener, "s").await });
    let mut crowd = Vec::new();
    for _ in 0..SOCKETS {
        crowd.push(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    }
    drop(crowd);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(get(port, "GET /callback?code=c&state=s HTTP/1.1\r\n\r\n").await.starts_with("HTTP/1.1 200"));
    assert_eq!(waiting.await.unwrap().unwrap().reveal(), "c");
}

/// Answers `POST /v1/sign-in` and nothing else.
async fn issuing_server(url: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 8192]).await;
            let body = format!("{{\"authorization_url\":\"{url}\",\"state\":\"s\",\"expires_in_s\":60}}");
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn a_browser_that_never_comes_back_times_out() {
    let backend = Backend::new(&issuing_server("https://issuer.example/authorize").await, Keyring::memory());
    let mut opened = None;
    let outcome = sign_in(&backend, Duration::from_millis(400), |url| opened = Some(url)).await;
    assert_eq!(outcome, Outcome::TimedOut);
    assert_eq!(opened.as_deref(), Some("https://issuer.example/authorize"));
}

#[tokio::test]
async fn only_a_web_address_is_handed_to_the_browser() {
    let backend = Backend::new(&issuing_server("file:///etc/passwd").await, Keyring::memory());
    let outcome = sign_in(&backend, PATIENCE, |_| panic!("opened")).await;
    assert_eq!(outcome, Outcome::Failed(Failure::Malformed));
}

/// RFC 7636 appendix B.
#[test]
fn the_challenge_is_that_of_the_standard() {
    assert_eq!(challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    assert_eq!(verifier().len(), 43);
    assert_ne!(verifier(), verifier());
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_harm(head in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert_eq!(parse(&head, "a state that nobody guesses"), None);
    }

    #[test]
    fn any_code_survives(code in "\\PC{1,40}") {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("code", &code).append_pair("state", "s").finish();
        let head = format!("GET /callback?{query} HTTP/1.1\r\n\r\n");
        prop_assert_eq!(parse(head.as_bytes(), "s"), Some(Redirect::Code(Private::new(code))));
    }
}
