//! `[host_ip:]host:guest[/udp]`; an IPv6 address stands in brackets.

use std::net::IpAddr;

use kiste_core::network::{Port, Protocol, loopback};

const SHAPE: &str = "write `[host_ip:]host:guest[/udp]`, as in `8080:80`";

/// Reads the short form. The error is a fragment for a mistake.
pub fn parse(text: &str) -> Result<Port, String> {
    let (numbers, protocol) = match text.rsplit_once('/') {
        Some((rest, "udp")) => (rest, Protocol::Udp),
        Some((rest, "tcp")) => (rest, Protocol::Tcp),
        Some((_, other)) => return Err(format!("`{text}` has the protocol `{other}`, which is neither `tcp` nor `udp`")),
        None => (text, Protocol::Tcp),
    };
    let wrong = || format!("`{text}` is not a port ({SHAPE})");
    let (rest, guest) = numbers.rsplit_once(':').ok_or_else(wrong)?;
    let (host_ip, host) = match rest.rsplit_once(':') {
        Some((ip, host)) => (address(ip, text)?, host),
        None => (loopback(), rest),
    };
    let (host, guest) = (number(host, text)?, number(guest, text)?);
    Ok(Port { guest, host, host_ip, protocol, auto_correct: false, id: None, disabled: false })
}

fn address(ip: &str, text: &str) -> Result<IpAddr, String> {
    let bare = ip.strip_prefix('[').and_then(|i| i.strip_suffix(']'));
    let parsed: Option<IpAddr> = match bare {
        Some(six) => six.parse().ok().filter(IpAddr::is_ipv6),
        None => ip.parse().ok().filter(IpAddr::is_ipv4),
    };
    let bracket = if bare.is_none() && ip.contains(':') { ", an IPv6 address in brackets" } else { "" };
    parsed.ok_or_else(|| format!("`{text}` has the address `{ip}`, which is not an IP address ({SHAPE}{bracket})"))
}

fn number(digits: &str, text: &str) -> Result<u16, String> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !plain {
        return Err(format!("`{text}` is not a port ({SHAPE})"));
    }
    digits.parse().map_err(|_| format!("`{text}` has the port `{digits}`, which is larger than 65535"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(text: &str) -> String {
        match parse(text) {
            Ok(p) => format!("{} {} -> {} {}", p.host_ip, p.host, p.guest, p.protocol),
            Err(e) => e,
        }
    }

    #[test]
    fn all_forms() {
        assert_eq!(short("8080:80"), "127.0.0.1 8080 -> 80 tcp");
        assert_eq!(short("0:80"), "127.0.0.1 0 -> 80 tcp");
        assert_eq!(short("0.0.0.0:53:5353/udp"), "0.0.0.0 53 -> 5353 udp");
        assert_eq!(short("[::1]:8080:80/tcp"), "::1 8080 -> 80 tcp");
    }

    #[test]
    fn what_is_wrong() {
        assert_eq!(short("80"), "`80` is not a port (write `[host_ip:]host:guest[/udp]`, as in `8080:80`)");
        assert_eq!(short("http:80"), "`http:80` is not a port (write `[host_ip:]host:guest[/udp]`, as in `8080:80`)");
        assert_eq!(short("8080:70000"), "`8080:70000` has the port `70000`, which is larger than 65535");
        assert_eq!(short("8080:80/sctp"), "`8080:80/sctp` has the protocol `sctp`, which is neither `tcp` nor `udp`");
        assert_eq!(
            short("::1:8080:80"),
            "`::1:8080:80` has the address `::1`, which is not an IP address (write `[host_ip:]host:guest[/udp]`, as in `8080:80`, an IPv6 address in brackets)"
        );
        assert!(parse("").is_err() && parse(":").is_err() && parse("+1:2").is_err());
    }
}
