//! The answers, by what they are about.

pub mod asked;
pub mod audit;
pub mod authenticate;
pub mod body;
pub mod boxes;
pub mod catalog;
pub mod downloads;
pub mod health;
pub mod members;
pub mod metrics;
pub mod openapi;
pub mod organizations;
pub mod providers;
pub mod prune;
pub mod search;
pub mod shapes;
pub mod tokens;
pub mod two_factor;
pub mod uploads;
pub mod users;
pub mod versions;

/// A time as answers tell it: RFC 3339, UTC, milliseconds.
pub fn time(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).map_or_else(|_| String::new(), |at| format!("{at:.3}"))
}
