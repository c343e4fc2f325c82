//! Addresses, `host:port`, as the configuration writes them. Never resolves a name.

use super::SEEDS_MAX;
use crate::study_file::field::Field;
use crate::study_file::node::Content;
use crate::study_file::report::Report;
use std::net::SocketAddr;

/// What an address is.
pub(super) const EXPECTED: &str = "an address, host:port, for example 127.0.0.1:7701";

/// What the seeds are.
pub(super) const SEEDS: &str = "a list of addresses of nodes, for example [\"127.0.0.1:7701\"]";

/// An address to listen on.
pub(super) fn of(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let text = field.text(EXPECTED, report)?;
    if !is_address(text) {
        field.wrong(format!("expected {EXPECTED}"), report);
        return None;
    }
    Some(text.to_owned())
}

/// An address to dial: not one that means every address.
pub(super) fn dialled(field: &Field<'_>, report: &mut Report) -> Option<String> {
    let address = of(field, report)?;
    if is_unspecified(&address) {
        field.wrong("means every address, expected one that others can dial", report);
        return None;
    }
    Some(address)
}

/// An address under which others reach a node. Without a host before the port it is that of
/// `host`, the name of this machine: many containers can be made from one setting.
pub(super) fn advertised(
    field: &Field<'_>,
    host: Option<&str>,
    report: &mut Report,
) -> Option<String> {
    let text = field.text(EXPECTED, report)?;
    let whole = host.filter(|_| text.starts_with(':')).map(|host| format!("{host}{text}"));
    match whole.filter(|whole| is_address(whole)) {
        Some(whole) => Some(whole),
        None => dialled(field, report),
    }
}

/// Addresses of nodes.
pub(super) fn seeds(field: &Field<'_>, report: &mut Report) -> Option<Vec<String>> {
    match &field.node.content {
        Content::List(items) if (1..=SEEDS_MAX).contains(&items.len()) => {
            items.iter().map(|item| dialled(&field.item(item), report)).collect()
        }
        Content::List(_) => {
            field.wrong(format!("expected 1 to {SEEDS_MAX} addresses of nodes"), report);
            None
        }
        _ => {
            field.wrong(format!("expected {SEEDS}"), report);
            None
        }
    }
}

/// Whether it means every address of the host.
pub(super) fn is_unspecified(address: &str) -> bool {
    address.parse().is_ok_and(|address: SocketAddr| address.ip().is_unspecified())
}

fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    // What brackets hold is an address of version 6; nothing else has colons.
    let usable = if host.starts_with('[') || host.contains(':') {
        text.parse::<SocketAddr>().is_ok()
    } else {
        !host.is_empty()
            && host.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._".contains(letter))
    };
    usable && port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_and_a_port_that_can_be_dialled() {
        for good in ["127.0.0.1:7701", "node1:1", "a.b-c.example:65535", "[::1]:7701", "my_host:9"]
        {
            assert!(is_address(good), "{good}");
        }
        for bad in
            ["", "7701", ":7701", "host:", "host:0", "host:65536", "host:+1", "host:07", "::1:7701"]
        {
            assert!(!is_address(bad), "{bad}");
        }
        assert!(is_unspecified("0.0.0.0:1") && is_unspecified("[::]:1"));
        assert!(!is_unspecified("127.0.0.1:1") && !is_unspecified("host:1"));
    }
}
