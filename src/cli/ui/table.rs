//! The tables people know from the peers, made exactly so.

/// Rows of cells, each column as wide as its widest cell and at least `least`; cells are left-justified and followed by one space.
pub fn columns(rows: &[Vec<String>], least: &[usize]) -> Vec<String> {
    let width =
        |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| console::measure_text_width(c)).chain([least[i]]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..least.len()).map(width).collect();
    rows.iter().map(|row| row.iter().zip(&widths).map(|(cell, width)| format!("{} ", pad(cell, *width))).collect()).collect()
}

/// A header and rows below it, columns two spaces apart; no spaces at the ends of lines.
pub fn with_header(header: &[&str], mut rows: Vec<Vec<String>>) -> String {
    rows.insert(0, header.iter().map(|&h| h.to_owned()).collect());
    let width = |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| console::measure_text_width(c)).max().unwrap_or(0);
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |row: &Vec<String>| row.iter().zip(&widths).map(|(cell, width)| pad(cell, *width)).collect::<Vec<_>>().join("  ");
    rows.iter().map(|row| line(row).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// `KEY: VALUE`, one a line, all values in one column; keys without a value are left out.
pub fn fields(fields: &[(&str, Option<String>)]) -> String {
    let width = fields.iter().filter(|(_, value)| value.is_some()).map(|(key, _)| key.len()).max().unwrap_or(0) + 2;
    let line = |(key, value): &(&str, Option<String>)| value.as_ref().map(|v| format!("{}{v}", pad(&format!("{key}:"), width)));
    fields.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// `text` and spaces up to `width` columns of a terminal.
pub fn pad(text: &str, width: usize) -> String {
    console::pad_str(text, width, console::Alignment::Left, None).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_grow_to_their_widest_cell() {
        let rows = [vec!["a".to_owned(), "long cell".to_owned()], vec!["bäö".to_owned(), "x".to_owned()]];
        assert_eq!(columns(&rows, &[2, 4]), ["a   long cell ", "bäö x         "]);
    }
}
