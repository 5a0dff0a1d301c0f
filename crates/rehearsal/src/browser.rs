//! A browser for rehearsals: opens the development issuer's authorize page, presses one identity's button, and follows the
//! redirect to the app. Apps use it instead of the system browser through `VISAVIS_BROWSER`.

use std::sync::Once;
use std::time::Duration;
use url::Url;

#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    #[error("the address {0} is not on this machine; the rehearsal browser opens nothing else")]
    NotLoopback(String),
    #[error("the page could not be loaded: {0}")]
    Unreachable(#[from] reqwest::Error),
    #[error("the issuer's page offers no identity named {0}")]
    NoSuchIdentity(String),
    #[error("the page has no form to send")]
    NoForm,
    #[error("the issuer answered {0}")]
    Answered(u16),
}

/// reqwest is built without a TLS provider of its own choice.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Signs `identity` in (`deny` presses the issuer's "deny"). Returns the status of the page that the app shows at the end.
pub async fn sign_in(authorization_url: &str, identity: &str) -> Result<u16, BrowserError> {
    install_tls();
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build()?;
    let address = loopback(authorization_url)?;
    let page = client.get(address.clone()).send().await?.text().await?;
    let form = page
        .find("<form")
        .and_then(|start| page[start..].find("</form>").map(|end| &page[start..start + end]))
        .ok_or(BrowserError::NoForm)?;
    let mut fields = Vec::new();
    let mut offered = false;
    for tag in form.split('<').skip(1) {
        let (Some(name), Some(value)) = (attribute(tag, "name"), attribute(tag, "value")) else { continue };
        if tag.starts_with("input") {
            fields.push((name, value));
        } else if tag.starts_with("button") && value == identity {
            offered = true;
            fields.push((name, value));
        }
    }
    if identity.starts_with("guest-") {
        // Too many for a page of buttons; the issuer knows them all the same.
        fields.push((String::from("identity"), identity.to_owned()));
    } else if !offered {
        return Err(BrowserError::NoSuchIdentity(identity.to_owned()));
    }
    let action = attribute(form, "action").unwrap_or_default();
    let target = address.join(&action).map_err(|_| BrowserError::NoForm)?;
    let answer = client.post(loopback(target.as_str())?).form(&fields).send().await?;
    let status = answer.status();
    if status.is_client_error() || status.is_server_error() {
        Err(BrowserError::Answered(status.as_u16()))
    } else {
        Ok(status.as_u16())
    }
}

fn loopback(address: &str) -> Result<Url, BrowserError> {
    let url = Url::parse(address).map_err(|_| BrowserError::NotLoopback(address.to_owned()))?;
    match url.host_str() {
        Some("127.0.0.1" | "localhost" | "[::1]") => Ok(url),
        _ => Err(BrowserError::NotLoopback(address.to_owned())),
    }
}

/// The value of `name="..."` in a tag of a page we know: no nesting, double quotes, five entities.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let head = &tag[..tag.find('>').unwrap_or(tag.len())];
    let start = head.find(&format!(" {name}=\""))? + name.len() + 3;
    let value = &head[start..start + head[start..].find('"')?];
    let plain =
        value.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_and_unescaped() {
        let tag = r#"input type="hidden" name="state" value="a&amp;b&quot;c">text name="no""#;
        assert_eq!(attribute(tag, "name").as_deref(), Some("state"));
        assert_eq!(attribute(tag, "value").as_deref(), Some("a&b\"c"));
        assert_eq!(attribute(tag, "missing"), None);
    }

    #[tokio::test]
    async fn nothing_but_this_machine_is_opened() {
        let error = sign_in("https://example.org/authorize", "ada").await.unwrap_err();
        assert!(matches!(error, BrowserError::NotLoopback(_)), "{error}");
    }
}
