//! Addresses as they may be shown and kept: without passwords, tokens and signatures.

use url::Url;

/// For messages and state: no user, no password, and a query only as `…`.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let query = url.query().is_some();
    url.set_query(None);
    url.set_fragment(None);
    // fails only for addresses that can have no user
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if query { format!("{url}?…") } else { url.to_string() }
}

/// For asking again later: no user, no password, no `access_token`.
pub fn kept(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    let rest: Vec<(String, String)> =
        url.query_pairs().filter(|(key, _)| key != "access_token").map(|(k, v)| (k.into(), v.into())).collect();
    if rest.is_empty() {
        url.set_query(None);
    } else {
        url.query_pairs_mut().clear().extend_pairs(rest);
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show() {
        let url = Url::parse("https://user:secret@host:8443/a.box?Signature=secret&access_token=secret#secret").unwrap();
        assert_eq!(shown(&url), "https://host:8443/a.box?…");
        assert_eq!(kept(&url), "https://host:8443/a.box?Signature=secret");
        let url = Url::parse("https://host/a?access_token=secret").unwrap();
        assert_eq!(kept(&url), "https://host/a");
    }
}
