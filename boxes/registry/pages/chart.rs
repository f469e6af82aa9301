//! Downloads per day, as a drawing: bars of the last thirty days.

use jiff::{ToSpan, civil::Date, tz::TimeZone};
use serde::Serialize;

use crate::db::Db;
use crate::error::Error;

/// Days that are shown.
const DAYS: i32 = 30;
/// Height of the tallest bar, in the drawing's units.
const HEIGHT: i64 = 80;
/// From one bar to the next.
const STEP: i32 = 20;

/// The drawing.
#[derive(Debug, Serialize)]
pub struct Chart {
    days: Vec<Bar>,
    /// In these days.
    total: i64,
    /// On the best of them.
    most: i64,
    first: String,
    last: String,
    width: i32,
}

/// A day.
#[derive(Debug, Serialize)]
struct Bar {
    day: String,
    count: i64,
    x: i32,
    y: i64,
    height: i64,
}

impl Chart {
    /// Of a box; none where nobody had it in these days.
    pub async fn of(db: &Db, owner: &str, name: &str) -> Result<Option<Self>, Error> {
        let today = jiff::Timestamp::now().to_zoned(TimeZone::UTC).date();
        let first = today.checked_sub((DAYS - 1).days()).unwrap_or(today);
        let counts = db.daily_downloads(owner, name, &first.to_string()).await?;
        Ok(Self::draw(first, &counts))
    }

    fn draw(first: Date, counts: &[(String, i64)]) -> Option<Self> {
        let most = counts.iter().map(|(_, count)| *count).max().filter(|most| *most > 0)?;
        let bar = |at: i32| {
            let day = first.checked_add(at.days()).unwrap_or(first).to_string();
            let count = counts.iter().find(|(found, _)| *found == day).map_or(0, |(_, count)| *count);
            // A day with downloads is seen, however few they are.
            let height = (count * HEIGHT / most).max(i64::from(count > 0) * 2);
            Bar { day, count, x: at * STEP, y: HEIGHT - height, height }
        };
        let days: Vec<Bar> = (0..DAYS).map(bar).collect();
        let total = days.iter().map(|bar| bar.count).sum();
        let ends = (days.first()?.day.clone(), days.last()?.day.clone());
        Some(Self { days, total, most, first: ends.0, last: ends.1, width: DAYS * STEP })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_day_is_as_high_as_the_drawing_and_few_are_still_seen() {
        let counts = [("2026-11-01".to_owned(), 1), ("2026-11-03".to_owned(), 1000)];
        let chart = Chart::draw(jiff::civil::date(2026, 11, 1), &counts).unwrap();
        assert_eq!((chart.total, chart.most, chart.last.as_str()), (1001, 1000, "2026-11-30"));
        let heights: Vec<i64> = chart.days.iter().take(4).map(|bar| bar.height).collect();
        assert_eq!(heights, [2, 0, HEIGHT, 0]);
        assert!(Chart::draw(jiff::civil::date(2026, 11, 1), &[]).is_none());
    }
}
