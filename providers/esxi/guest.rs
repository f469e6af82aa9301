//! `vim-cmd vmsvc/get.guest`: which address of a machine is its own.

use std::net::IpAddr;

use super::object::{Malformed, Object, Value, parse};

/// Device id of the first network card; the next has one more. Networks that a guest makes itself have -1.
const FIRST_CARD: i64 = 4000;

/// What the tools of a guest tell; nothing, where they do not run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guest {
    /// Whether tools run, so that a shutdown can be asked of them.
    pub tools: bool,
    /// The address at the top, whatever card it is of.
    pub first: Option<IpAddr>,
    cards: Vec<Card>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Card {
    id: i64,
    mac: String,
    addresses: Vec<IpAddr>,
}

impl Guest {
    /// Reads the whole answer.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let value = parse(text)?;
        let Some(guest) = value.object() else { return Ok(Self::default()) };
        let cards = guest.get("net").map(Value::entries).unwrap_or_default();
        Ok(Self {
            tools: guest.text("toolsRunningStatus") == Some("guestToolsRunning"),
            first: guest.text("ipAddress").and_then(|a| a.parse().ok()),
            cards: cards.iter().filter_map(Value::object).map(card).collect(),
        })
    }

    /// The IPv4 address of card `index` (from 0), known by its device id or by `mac`; none before DHCP is done.
    pub fn address(&self, index: u8, mac: Option<&str>) -> Option<IpAddr> {
        let wanted = FIRST_CARD + i64::from(index);
        let same = |card: &&Card| card.id == wanted || mac.is_some_and(|m| m.eq_ignore_ascii_case(&card.mac));
        self.cards.iter().filter(same).flat_map(|c| &c.addresses).copied().find(|a| usable(*a))
    }
}

fn card(card: &Object) -> Card {
    let list = card.get("ipAddress").map(Value::entries).unwrap_or_default();
    Card {
        id: card.get("deviceConfigId").and_then(Value::number).unwrap_or(-1),
        mac: card.text("macAddress").unwrap_or_default().to_owned(),
        addresses: list.iter().filter_map(|a| a.text()?.parse().ok()).collect(),
    }
}

/// An address that leads to the guest from elsewhere.
fn usable(address: IpAddr) -> bool {
    matches!(address, IpAddr::V4(a) if !a.is_link_local() && !a.is_loopback() && !a.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: &str = r#"Guest information:

(vim.vm.GuestInfo) {
   toolsStatus = "toolsOk",
   toolsRunningStatus = "guestToolsRunning",
   hostName = "web1",
   ipAddress = "172.17.0.1",
   net = (vim.vm.GuestInfo.NicInfo) [
      (vim.vm.GuestInfo.NicInfo) {
         network = <unset>,
         ipAddress = (string) [
            "172.17.0.1"
         ],
         macAddress = "02:42:00:00:00:01",
         deviceConfigId = -1,
      },
      (vim.vm.GuestInfo.NicInfo) {
         network = "VM Network",
         ipAddress = (string) [
            "169.254.3.4",
            "192.0.2.10",
            "fe80::1"
         ],
         macAddress = "00:0c:29:00:00:01",
         connected = true,
         deviceConfigId = 4000,
         ipConfig = (vim.net.IpConfigInfo) {
            ipAddress = (vim.net.IpConfigInfo.IpAddress) [
               (vim.net.IpConfigInfo.IpAddress) {
                  ipAddress = "192.0.2.10",
                  prefixLength = 24
               }
            ]
         }
      }
   ],
   ipStack = (vim.vm.GuestInfo.StackInfo) [
      (vim.vm.GuestInfo.StackInfo) {
         dnsConfig = (vim.net.DnsConfigInfo) {
            ipAddress = (string) [
               "192.0.2.53"
            ]
         }
      }
   ],
   guestState = "running",
}
"#;
    const DOWN: &str = "Guest information:\n\n(vim.vm.GuestInfo) {\n   toolsStatus = \"toolsNotInstalled\",\n   toolsRunningStatus = \
                        \"guestToolsNotRunning\",\n   toolsInstallType = <unset>,\n   ipAddress = <unset>,\n   net = <unset>,\n   guestState = \
                        \"notRunning\"\n}\n";

    #[test]
    fn the_address_is_that_of_the_card_and_not_of_a_bridge_inside() {
        let guest = Guest::parse(UP).unwrap();
        assert!(guest.tools);
        assert_eq!(guest.address(0, None), Some("192.0.2.10".parse().unwrap()));
        assert_eq!(guest.address(1, None), None);
        assert_eq!(guest.address(7, Some("00:0C:29:00:00:01")), Some("192.0.2.10".parse().unwrap()));
        assert_eq!(guest.first, Some("172.17.0.1".parse().unwrap()));
    }

    #[test]
    fn without_tools_there_is_nothing() {
        assert_eq!(Guest::parse(DOWN), Ok(Guest::default()));
        assert_eq!(Guest::parse("Guest information:\n\n(vim.vm.GuestInfo) null\n"), Ok(Guest::default()));
        assert!(Guest::parse("Failed to login\n").is_err());
    }

    #[test]
    fn an_empty_list_of_cards_is_none() {
        let text = DOWN.replace("net = <unset>", "net = (vim.vm.GuestInfo.NicInfo) []");
        assert_eq!(Guest::parse(&text).unwrap().address(0, None), None);
    }
}
