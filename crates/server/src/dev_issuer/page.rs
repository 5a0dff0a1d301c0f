//! The page of the development issuer: one form, one button for each identity, one to cancel. Test browsers read it too: the buttons
//! are `<button name="identity" value="...">` inside the only `<form method="post">`.

use super::IDENTITIES;
use std::fmt::Write;

/// The value of the cancel button.
pub const DENY: &str = "deny";

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Choose a test identity</title>\n<style>\n\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }\n\
body { max-width: 30rem; margin: 10vh auto; padding: 0 1rem; }\n\
form { display: grid; gap: .5rem; }\n\
button { font: inherit; text-align: left; padding: .75rem 1rem; border: 1px solid GrayText; border-radius: .5rem; background: Canvas; color: CanvasText; cursor: pointer; }\n\
button:hover, button:focus-visible { outline: 2px solid Highlight; }\n\
small { display: block; opacity: .8; }\n\
</style>\n</head>\n<body>\n<h1>Who are you today?</h1>\n\
<p>This page stands in for an identity service. It belongs to a development server on this machine.</p>\n";

pub fn choose(hidden: &[(&str, &str)]) -> String {
    let mut page = String::from(HEAD);
    page.push_str("<form method=\"post\">\n");
    for (name, value) in hidden {
        // Writing to a string cannot fail.
        let _ = writeln!(page, "<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value));
    }
    for identity in IDENTITIES {
        let _ = writeln!(
            page,
            "<button name=\"identity\" value=\"{name}\">{name}<small>{about}</small></button>",
            name = escape(&identity.name),
            about = escape(identity.about)
        );
    }
    let _ = writeln!(page, "<button name=\"identity\" value=\"{DENY}\">Cancel</button>");
    page.push_str("</form>\n</body>\n</html>\n");
    page
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_carried_through_cannot_become_markup() {
        let page = choose(&[("state", "\"><script>alert('1')</script>")]);
        assert!(!page.contains("<script"));
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\""));
        assert_eq!(page.matches("<form method=\"post\">").count(), 1);
        assert!(
            page.contains("<button name=\"identity\" value=\"ada\">")
                && page.contains("<button name=\"identity\" value=\"deny\">")
        );
    }
}
