//! The HTTP client that speaks to the issuer: no redirects (an issuer must not send us elsewhere), a time-out, a limit on the size
//! of an answer.

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use std::pin::Pin;
use std::time::Duration;

/// Discovery documents and key sets are some kilobytes.
const MAX_ANSWER: usize = 1024 * 1024;

#[derive(Clone)]
pub struct IssuerHttp {
    client: reqwest::Client,
}

#[derive(Debug, thiserror::Error)]
pub enum IssuerHttpError {
    #[error("it cannot be reached")]
    Unreachable,
    #[error("it did not answer in time")]
    TimeOut,
    #[error("its answer is larger than {MAX_ANSWER} bytes")]
    TooLarge,
    #[error("its answer is not HTTP")]
    Malformed,
}

impl From<reqwest::Error> for IssuerHttpError {
    /// The library's own text names the whole address, which may hold a code.
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() { Self::TimeOut } else { Self::Unreachable }
    }
}

impl IssuerHttp {
    /// `answer_within`: the whole of an answer. `None` where the system's root certificates cannot be used.
    pub fn new(answer_within: Duration) -> Option<Self> {
        // One provider for the whole process; a second start in it finds the first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(answer_within)
            .no_proxy()
            .build()
            .ok()?;
        Some(Self { client })
    }

    async fn answer(&self, request: HttpRequest) -> Result<HttpResponse, IssuerHttpError> {
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string();
        let mut answer = self.client.request(parts.method, url).headers(parts.headers).body(body).send().await?;
        let mut response = axum::http::Response::builder().status(answer.status());
        if let Some(headers) = response.headers_mut() {
            *headers = answer.headers().clone();
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(IssuerHttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        response.body(body).map_err(|_| IssuerHttpError::Malformed)
    }
}

impl<'c> AsyncHttpClient<'c> for IssuerHttp {
    type Error = IssuerHttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, IssuerHttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.answer(request))
    }
}
